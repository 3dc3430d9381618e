// Where a server speaks TLS, as Caddy 2.11's automatic HTTPS decides it (autohttps.go): for the whole server at once,
// and then on each of its ports but that of HTTP.
import { type Ports, recordAt, type Server, textsAt, USUAL_PORTS } from '../edge/adapted.ts';
import { isOnPort } from './ports.ts';

/**
 * Why a server speaks TLS: it was told how, or one of its sites names a host, for which there will be a certificate; or
 * by nothing but its port, so that there may be none.
 */
export type TlsBy = 'policies' | 'hosts' | 'port';

/** Returns by what the server speaks TLS; undefined where it doesn't. */
export function tlsOf(server: Server, ports: Ports = USUAL_PORTS): TlsBy | undefined {
  const { listen = [], routes = [] } = server;
  const policies = server['tls_connection_policies'];
  if (Array.isArray(policies)) return policies.length > 0 ? 'policies' : undefined;
  const automatic = recordAt(server['automatic_https']);
  if (automatic['disable'] === true || listen.every((one) => isOnPort(one, ports.http)))
    return undefined;
  const skipped = textsAt(automatic['skip']);
  const hosts = routes.flatMap(({ match = [] }) => match.flatMap((set) => textsAt(set['host'])));
  // One is enough: those beside it, and sites for any host, are on the same port.
  if (hosts.some((host) => !skipped.includes(host))) return 'hosts';
  return listen.every((address) => isOnPort(address, ports.https)) ? 'port' : undefined;
}

/** Returns those of the server's addresses that are, or are not, served over TLS. */
export function listensBy(
  server: Server,
  ports: Ports = USUAL_PORTS,
): {
  readonly secure: readonly string[];
  readonly plain: readonly string[];
} {
  const { listen = [] } = server;
  if (tlsOf(server, ports) === undefined) return { secure: [], plain: listen };
  const { secure = [], plain = [] } = Object.groupBy(listen, (address) =>
    isOnPort(address, ports.http) ? 'plain' : 'secure',
  );
  return { secure, plain };
}
