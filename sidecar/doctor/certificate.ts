// What a connection to the site is worth: its certificate, its host name, its time. Pure.
import { isLoopback } from '../identity/bounded-fetch.ts';
import type { Reply, Tls } from './ask.ts';
import { requestIdOf } from './gate-mark.ts';
import { type Line, quoted, warning, well, wrong } from './line.ts';

/** Of 90 days Caddy renews one with 30 left: this late, renewing fails. */
export const WARN_BELOW_DAYS = 14;
/** Those of days or hours are renewed by Caddy with a third of their life left: with less than this it fails, too. */
const LEAST_SHARE_LEFT = 1 / 4;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const CA_MEND =
  'give Caddy a certificate of an authority that clients know, or name your own authority by --ca FILE';

/** What does not hold, and what mends it, by Node's code. */
const MEANINGS: Readonly<Record<string, readonly [seen: string, mend: string]>> = {
  CERT_HAS_EXPIRED: [
    'its certificate has expired',
    "look at Caddy's log why it is not renewed (ports 80 and 443 reachable, DNS right?)",
  ],
  CERT_NOT_YET_VALID: ['its certificate is not valid yet', "set the clock of Caddy's machine"],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'its certificate is for another host',
    'name this host in the Caddyfile, or ask by the name that it is for',
  ],
};

/** Returns the line about TLS. */
export function judgeTls(url: URL, tls: Tls, nowMs: number): Line {
  const by = `${tls.protocol}, of ${quoted(tls.issuer)}`;
  if (tls.problem !== undefined) {
    const unknown = ['its certificate is of no authority that is trusted here', CA_MEND] as const;
    const [seen, mend] = MEANINGS[tls.problem] ?? unknown;
    return wrong('tls', `${seen} (${quoted(tls.problem)}); ${by}`, mend);
  }
  const leftMs = tls.validToMs - nowMs;
  const seen = `the certificate holds for ${url.hostname}, and ${lengthOf(leftMs)} more; ${by}`;
  const isLate = leftMs < (tls.validToMs - tls.validFromMs) * LEAST_SHARE_LEFT;
  if (leftMs < WARN_BELOW_DAYS * DAY_MS && isLate) {
    return warning('tls', seen, "it should be renewed by now: Caddy's log says why it is not");
  }
  return well('tls', seen);
}

function lengthOf(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  return days < 2 ? `${Math.floor(ms / HOUR_MS)} hours` : `${days} days`;
}

/** Returns whether an answer says that TLS is spoken there, as Go's servers do to those who ask by plain http. */
export function isHttpsPort({ status, body }: Pick<Reply, 'status' | 'body'>): boolean {
  return status === 400 && body.startsWith('Client sent an HTTP request to an HTTPS server');
}

/** Returns the line about a URL with `http:` for such a port; there is nothing else to see of the site. */
export function judgeScheme({ host, pathname }: URL): Line {
  const seen = `${host} speaks TLS, and was asked by plain http: nothing else of the site was looked at`;
  return wrong('site', seen, `write https://${host}${pathname}`);
}

/** Returns where an answer to plain http leads by https, as Caddy does by itself; undefined where Signet had a part in it. */
export function secureTarget(
  asked: URL,
  reply: Pick<Reply, 'status' | 'headers'>,
): URL | undefined {
  const [location = ''] = reply.headers['location'] ?? [];
  const isRedirect = reply.status >= 300 && reply.status < 400 && requestIdOf(reply) === undefined;
  if (asked.protocol !== 'http:' || !isRedirect) return undefined;
  const to = URL.parse(location, asked.href);
  return to?.protocol === 'https:' ? to : undefined;
}

/** Returns the line about a site that leads on to there; there is nothing else to see of it. */
export function judgeRedirected({ host }: URL, { origin, pathname }: URL): Line {
  const to = quoted(origin + pathname);
  const seen = `${host} redirects to ${to}: nothing else of the site was looked at`;
  return wrong('site', seen, `look at that: signet doctor ${to}`);
}

/** Returns the line about a site without TLS. */
export function judgePlain({ hostname }: URL): Line {
  const seen =
    'plain http: Signet’s cookies are __Host- and Secure, which browsers keep over https only';
  const mend = 'serve the site by https, and look at that';
  return isLoopback(hostname) ? warning('tls', seen, mend) : wrong('tls', seen, mend);
}
