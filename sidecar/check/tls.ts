// Where a server speaks TLS, as Caddy 2.11's automatic HTTPS decides it (autohttps.go): for the whole server at once,
// and then on each of its ports but 80. With the usual ports: what `http_port` and `https_port` say isn't read.
import { recordAt, type Server, textsAt } from '../edge/adapted.ts';
import { isOnPort } from './ports.ts';

const [HTTP_PORT, HTTPS_PORT] = [80, 443];

/**
 * Why a server speaks TLS: it was told how, or one of its sites names a host, for which there will be a certificate; or
 * by nothing but its port, so that there may be none.
 */
export type TlsBy = 'policies' | 'hosts' | 'port';

/** Returns by what the server speaks TLS; undefined where it doesn't. */
export function tlsOf(server: Server): TlsBy | undefined {
  const { listen = [], routes = [] } = server;
  const policies = server['tls_connection_policies'];
  if (Array.isArray(policies)) return policies.length > 0 ? 'policies' : undefined;
  const automatic = recordAt(server['automatic_https']);
  if (automatic['disable'] === true || listen.every(isOnHttp)) return undefined;
  const skipped = textsAt(automatic['skip']);
  const hosts = routes.flatMap(({ match = [] }) => match.flatMap((set) => textsAt(set['host'])));
  // One is enough: those beside it, and sites for any host, are on the same port.
  if (hosts.some((host) => !skipped.includes(host))) return 'hosts';
  return listen.every((address) => isOnPort(address, HTTPS_PORT)) ? 'port' : undefined;
}

/** Returns those of the server's addresses that are, or are not, served over TLS. */
export function listensBy(server: Server): {
  readonly secure: readonly string[];
  readonly plain: readonly string[];
} {
  const { listen = [] } = server;
  if (tlsOf(server) === undefined) return { secure: [], plain: listen };
  const { secure = [], plain = [] } = Object.groupBy(listen, (address) =>
    isOnHttp(address) ? 'plain' : 'secure',
  );
  return { secure, plain };
}

function isOnHttp(address: string): boolean {
  return isOnPort(address, HTTP_PORT);
}
