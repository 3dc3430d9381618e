// The texts for Caddy: a Caddyfile for one host and one app, and the variables of an ordinary user's.
// Host and app were read by host.ts and app.ts: each is a word to Caddy, and no more.
import type { App } from './app.ts';
import { authorityOf, type Host, isTrial } from './host.ts';
import type { Layout } from './layout.ts';

const SITE = `	import signet

	# Who may do what stands in this file. A part of the app for some people only comes before the rest:
	#
	#	handle /admin* {
	#		import protect admin role:admin+type:human {
	#			reverse_proxy APP
	#		}
	#	}
	#
	# public (anyone), any (signed in), user:, team:, role:, type:, scope:, idp:, actors:. A comma is or,
	# + is and; +preflight lets CORS preflights through. All of it: deploy/access.md, beside the package's README.
	handle {
		import protect app any {
			reverse_proxy APP
		}
	}
`;

/** Returns the Caddyfile; `caddy fmt` has no wish. */
export function caddyfileText(host: Host, app: App, layout: Layout): string {
  const site = SITE.replaceAll('APP', () => app.join(' '));
  // With its scheme: a host of the name of a directive (`log`, `import`) would be read as that.
  const address = `https://${authorityOf(host)}`;
  return `# The edge, first written by \`signet init\`: one site in front of one app. signet.caddy explains the snippets.
{
${adminOption(layout)}${isTrial(host) ? trialOptions(layout) : ''}	servers {
		# The default is 1 MiB: headers of that size would roll the log away.
		max_header_size 32KiB
	}
}

import signet.caddy

${address} {
${isTrial(host) ? trialSite(host) : ''}${site}}
`;
}

// The default, a port on this machine, would let everyone who has an account here take the edge over.
function adminOption({ caddyAdmin }: Layout): string {
  const off = '\t# Nobody reconfigures a running edge; changes come with a restart.\n';
  const own = "\t# For `systemctl reload caddy`; nobody but Caddy's own user gets at it.\n";
  return `${caddyAdmin === 'off' ? off : own}\tadmin ${caddyAdmin}\n`;
}

// So that an ordinary user can run it, and nothing outside of the folder changes.
function trialOptions({ caddyStorage }: Layout): string {
  return `	persist_config off
	# A trial: no port 80 for redirects, and nobody but who asks for it trusts Caddy's own authority.
	auto_https disable_redirects
	skip_install_trust
${caddyStorage === undefined ? '' : `	storage file_system ${caddyStorage}\n`}`;
}

function trialSite(host: Host): string {
  const address = host.name.endsWith('localhost') ? '127.0.0.1' : host.name;
  return `\tbind ${address}\n\ttls internal\n`;
}

/** Returns the variables for `caddy run --envfile`. */
export function caddyEnvText({ socket, accessLog }: Layout, app: App): string {
  const lines = [`SIGNET_SOCKET=unix/${socket}`, `SIGNET_ACCESS_LOG=${accessLog}`];
  // Before 2.11.5 Caddy could take the app's socket for the gate's (signet.caddy says how).
  if (hasSocket(app)) lines.push(KEEPALIVE_OFF);
  return `${lines.join('\n')}\n`;
}

/** What Caddy before 2.11.5 needs in its environment if the app listens on a unix socket. */
export const KEEPALIVE_OFF = 'SIGNET_GATE_KEEPALIVE=off';

/** Returns whether the app listens on a unix socket. */
export function hasSocket(app: App): boolean {
  return app.some((word) => word.startsWith('unix'));
}
