// The redirects to https that Caddy adds by itself on port 80 (automatic HTTPS), because the configuration doesn't
// show them. Written after Caddy 2.11's autohttps.go, for the usual port 80.
import { recordAt, textsAt, type Adapted, type Route, type Server } from '../edge/adapted.ts';

export const HTTP_PORT = 80;
const PORT = /:(\d+)$/;

/** Returns the routes of a server on port 80 as Caddy runs them; undefined: one that isn't configured. */
export function withRedirects({ servers }: Adapted, server: Server | undefined): readonly Route[] {
  const secure = Object.values(servers).filter(redirects);
  const routes = server?.routes ?? [];
  if (secure.length === 0) return routes;
  const added = secure.flatMap((one) => redirectsOf(one));
  const at = routes.findLastIndex((route) => hostsOf(route).length > 0) + 1;
  return [...routes.slice(0, at), ...added, ...routes.slice(at), redirectTo('', [])];
}

function redirects(server: Server): boolean {
  const { disable, disable_redirects: without } = recordAt(server['automatic_https']);
  return (
    disable !== true &&
    without !== true &&
    portsOf(server).some((port) => port !== String(HTTP_PORT))
  );
}

function redirectsOf(server: Server): Route[] {
  const skipped = textsAt(recordAt(server['automatic_https'])['skip']);
  const hosts = [...new Set((server.routes ?? []).flatMap(hostsOf))].filter(
    (host) => !skipped.includes(host),
  );
  const [port = '443'] = portsOf(server).filter((one) => one !== String(HTTP_PORT));
  const target = port === '443' ? '' : `:${port}`;
  return hosts.map((host) => redirectTo(target, [host]));
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
