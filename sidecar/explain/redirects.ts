// The redirects to https that Caddy adds by itself on the port of HTTP (automatic HTTPS), because the configuration
// doesn't show them. Written after Caddy 2.11's autohttps.go.
import {
  recordAt,
  textsAt,
  type Adapted,
  type Ports,
  type Route,
  type Server,
  USUAL_PORTS,
} from '../edge/adapted.ts';

const PORT = /:(\d+)$/;

/** Returns the routes of a server on the port of HTTP as Caddy runs them; undefined: one that isn't configured. */
export function withRedirects(
  { servers, ports }: Adapted,
  server: Server | undefined,
): readonly Route[] {
  const secure = Object.values(servers).filter((one) => redirects(one, ports));
  const routes = server?.routes ?? [];
  if (secure.length === 0) return routes;
  const added = secure.flatMap((one) => redirectsOf(one, ports));
  const at = routes.findLastIndex((route) => hostsOf(route).length > 0) + 1;
  return [...routes.slice(0, at), ...added, ...routes.slice(at), redirectTo('', [])];
}

function redirects(server: Server, ports: Ports): boolean {
  const { disable, disable_redirects: without } = recordAt(server['automatic_https']);
  return (
    disable !== true &&
    without !== true &&
    portsOf(server).some((port) => port !== String(ports.http))
  );
}

function redirectsOf(server: Server, ports: Ports): Route[] {
  const skipped = textsAt(recordAt(server['automatic_https'])['skip']);
  const hosts = [...new Set((server.routes ?? []).flatMap(hostsOf))].filter(
    (host) => !skipped.includes(host),
  );
  const [port] = portsOf(server).filter((one) => one !== String(ports.http));
  const target = port === undefined || isUnsaid(port, ports) ? '' : `:${port}`;
  return hosts.map((host) => redirectTo(target, [host]));
}

// What is mapped to another port, is so outside, where clients are.
function isUnsaid(port: string, ports: Ports): boolean {
  return [...Object.values(ports), ...Object.values(USUAL_PORTS)].map(String).includes(port);
}

function portsOf({ listen = [] }: Server): string[] {
  return listen.flatMap((address) => PORT.exec(address)?.[1] ?? []);
}

function hostsOf({ match = [] }: Route): readonly string[] {
  return match.flatMap((set) => textsAt(set['host']));
}

function redirectTo(port: string, hosts: readonly string[]): Route {
  const location = `https://{http.request.host}${port}{http.request.uri}`;
  return {
    match: [{ protocol: 'http', ...(hosts.length > 0 && { host: hosts }) }],
    handle: [{ handler: 'static_response', status_code: 308, headers: { Location: [location] } }],
    terminal: true,
  };
}
