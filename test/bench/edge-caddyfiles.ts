// What each Caddy of the benchmark is told. Every edge serves the same site twice, plain and with TLS,
// and hands what it lets through to the same app.
import { SNIPPETS } from '../fixtures/caddy.ts';

export type Ports = { readonly http: number; readonly https: number };

/** What the app answers: so many bytes, whoever asks. */
export const BODY = `${'The app behind the edge answers with this. '.repeat(5).slice(0, 199)}.`;

/** What the app tells of a request under `/seen`, by name. */
export const SEEN = {
  user: 'Remote-User',
  proxyUser: 'X-Auth-Request-User',
  traceparent: 'traceparent',
  baggage: 'baggage',
  cookie: 'Cookie',
  stamp: 'Signet-Stamp',
} as const;

/** Returns the app: a Caddy of its own. */
export function app(port: number): string {
  const fields = Object.entries(SEEN).map(([name, header]) => `"${name}":"{header.${header}}"`);
  return [
    `http://localhost:${port} {`,
    `	respond /seen \`{${fields.join(',')}}\``,
    `	respond "${BODY}"`,
    '}',
  ].join('\n');
}

/** Returns an edge without any check. */
export function plainEdge(ports: Ports, app: string): string {
  return edge(ports, `	reverse_proxy ${app}`);
}

/** Returns yardstick L1: `forward_auth`, answered by this same Caddy over a unix socket. */
export function forwardAuthEdge(ports: Ports, app: string, socket: string, log = ''): string {
  const headers = {
    'Remote-User': 'alice',
    'Remote-Email': 'alice@example.com',
    'Remote-Groups': 'team-payments',
  };
  const names = Object.keys(headers).join(' ');
  const site = `${log}	forward_auth unix/${socket} {
		uri /auth
		copy_headers ${names}
	}
	reverse_proxy ${app}`;
  return `${edge(ports, site)}\n${answerer(socket, headers)}`;
}

/** Returns yardstick L1 with what Caddy logs by itself: the least that a record of requests costs. */
export function loggedEdge(ports: Ports, app: string, folder: string): string {
  const log = `	log bench {\n		output file ${folder}/l1.log\n	}\n`;
  return forwardAuthEdge(ports, app, `${folder}/l1-log.sock`, log);
}

/** Returns an edge with our snippets, as a user imports them; the gate is where SIGNET_SOCKET says. */
export function signetEdge(ports: Ports, app: string): string {
  const site = `	import signet
	handle {
		import protect bench any {
			reverse_proxy ${app}
		}
	}`;
  return `import ${SNIPPETS}\n${edge(ports, site)}`;
}

/** Returns yardstick L2: our snippets, and the sidecar's part answered by this same Caddy. */
export function snippetEdge(
  ports: Ports,
  app: string,
  socket: string,
  headers: Readonly<Record<string, string>>,
): string {
  return `${signetEdge(ports, app)}\n${answerer(socket, headers)}`;
}

/**
 * Returns oauth2-proxy's edge, from its documentation's page on Caddy. `copy_headers` is ours: without
 * it the app would not know who is asking.
 */
export function proxyEdge(ports: Ports, app: string, proxy: string): string {
  const site = `	handle /oauth2/* {
		reverse_proxy ${proxy} {
			header_up X-Real-IP {remote_host}
			header_up X-Forwarded-Uri {uri}
		}
	}
	handle {
		forward_auth ${proxy} {
			uri /oauth2/auth
			header_up X-Real-IP {remote_host}
			copy_headers X-Auth-Request-User X-Auth-Request-Email
			@error status 401
			handle_response @error {
				redir * /oauth2/sign_in?rd={scheme}://{host}{uri}
			}
		}
		reverse_proxy ${app}
	}`;
  return edge(ports, site);
}

function edge({ http, https }: Ports, site: string): string {
  return `http://localhost:${http} {\n${site}\n}\nhttps://localhost:${https} {\n${site}\n}`;
}

function answerer(socket: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `	header ${name} \`${value}\``);
  return ['http:// {', `	bind unix/${socket}`, ...lines, '	respond 204', '}'].join('\n');
}
