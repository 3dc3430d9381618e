// Whether the app is somewhere else than Caddy itself, which would otherwise ask itself without end. By names
// and ports only: that a name leads back to this machine by DNS is not seen.
import { isLoopback } from '../identity/bounded-fetch.ts';
import type { App } from './app.ts';
import { authorityOf, type Host, isTrial } from './host.ts';
import type { Parsed } from './parsed.ts';

/** Returns the app, unless one of its addresses is the site itself. */
export function apart(parsed: Parsed<App>, host: Host): Parsed<App> {
  if ('problem' in parsed) return parsed;
  const same = parsed.value.find((word) => isSite(word, host));
  if (same === undefined) return parsed;
  return {
    problem: `the app can't be at ${same}: Caddy itself will listen there, as ${authorityOf(host)}`,
  };
}

function isSite(word: string, host: Host): boolean {
  if (word.startsWith('unix')) return false;
  const [, scheme = 'http', authority = ''] = /^(?:(\w+):\/\/)?(.*)$/.exec(word) ?? [];
  // h2c has the port of http.
  const url = URL.parse(`${scheme === 'https' ? 'https' : 'http'}://${authority}`);
  const port = Number(url?.port || (scheme === 'https' ? 443 : 80));
  const name = url?.hostname ?? authority.toLowerCase();
  return portsOf(host).includes(port) && (name === host.name || isThisMachine(name));
}

// A trial has no port for plain HTTP; others have it, for redirects.
function portsOf(host: Host): number[] {
  const own = host.port ?? 443;
  return isTrial(host) ? [own] : [own, 80];
}

function isThisMachine(name: string): boolean {
  return isLoopback(name) || name.endsWith('.localhost') || ['0.0.0.0', '[::]'].includes(name);
}
