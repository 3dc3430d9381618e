// What the site answers to somebody who has not signed in: at the URL, and on a page of Signet's own. Pure.
import { signInPath } from '../identity/return-url.ts';
import type { Failed, Reply } from './ask.ts';
import { isDecided, isUndecided, requestIdOf } from './gate-mark.ts';
import { type Line, notLookedAt, quoted, warning, well, wrong } from './line.ts';

const NO_SIGNET =
  'put `import signet` into this site of the Caddyfile, in front of everything else';
const NO_GATE =
  'does `signet serve` run, and is SIGNET_SOCKET the same for both, in a folder that Caddy may enter? Its log and `signet status` say more';

/** Where the gate sends people to sign in: always at the host that they asked. */
const SIGN_IN = new URL(signInPath('/'), 'https://any.invalid').pathname;

/** Returns the line about `/.signet/me`: whether it is the sidecar that answers there. */
export function judgeSidecar(reply: Reply): Line {
  const name = 'sidecar';
  const { status, headers } = reply;
  if (requestIdOf(reply) === undefined) {
    return wrong(name, `/.signet/me answers ${status}, without Signet's X-Request-Id`, NO_SIGNET);
  }
  if (isWithoutGate(reply)) return noGate(name, reply);
  const challenge = (headers['www-authenticate'] ?? []).join(', ');
  if (status === 401 && challenge.includes('realm="signet"') && isDecided(reply)) {
    return well(name, 'it answers under /.signet/, and knows nobody who sends nothing');
  }
  if (status === 400 && isDecided(reply)) {
    const mend = 'add it to `hosts`, or below the domain of `cookie`, in signet.yaml';
    return wrong(name, 'it does not sign people in at this host (400)', mend);
  }
  if (status >= 200 && status < 300) {
    const mend = 'nothing may stand between Caddy and /.signet/*: look what answers there';
    return wrong(name, `/.signet/me answers ${status} to somebody who sent nothing`, mend);
  }
  const mend = 'at site level no `rewrite`, `try_files` or `redir` may catch /.signet/*';
  return wrong(name, `/.signet/me answers ${status}, and not as Signet does`, mend);
}

/** Returns the line about the URL itself, by what it answered. */
export function judgeSignedOut(site: URL, reply: Reply): Line {
  const name = 'signed-out';
  const { status } = reply;
  if (site.pathname.startsWith('/.signet/')) {
    const seen = `${site.pathname} is a page of Signet’s own, which says nothing of the blocks`;
    return warning(name, seen, 'name a URL that a protected block answers');
  }
  if (requestIdOf(reply) === undefined) {
    const seen = `${status} without one X-Request-Id that is a UUID: Signet's snippet is not in front of it`;
    return wrong(name, seen, NO_SIGNET);
  }
  return isDecided(reply) ? judgeDecided(name, site, reply) : judgeUndecided(name, site, reply);
}

function judgeDecided(name: string, site: URL, reply: Reply): Line {
  const { status } = reply;
  const to = redirectOf(site, reply);
  if (to?.pathname === SIGN_IN) return judgeSent(name, site, reply, to);
  if (status === 401) return well(name, '401: refused');
  if (status === 403) {
    const mend =
      "a block whose requirement doesn't parse is closed to all: the sidecar's log and `signet status` name it";
    return warning(name, '403: refused without being asked to sign in', mend);
  }
  if (status === 503) {
    const mend = '`signet status` says what the sidecar lacks: the provider, or its session store';
    return wrong(name, '503: the sidecar cannot check who is calling', mend);
  }
  const mend =
    'if it is not meant for everybody, give its block another requirement; else look at a protected URL, too';
  return warning(name, `${told(site, reply)}: the gate lets everybody in here (\`public\`)`, mend);
}

function judgeSent(name: string, site: URL, reply: Reply, to: URL): Line {
  if (to.origin === site.origin) return well(name, `${reply.status}: sent to sign in`);
  const seen = `${told(site, reply)}: sent to sign in elsewhere, and the gate sends nobody off ${site.host}`;
  return wrong(name, seen, 'look what answers, or changes the answer, between here and the gate');
}

function judgeUndecided(name: string, site: URL, reply: Reply): Line {
  const { status } = reply;
  if (isWithoutGate(reply)) return noGate(name, reply);
  if (status === 404 || (status >= 300 && status < 400)) {
    const mend = 'name a URL that a protected block answers';
    return warning(name, `${told(site, reply)}, by Caddy and not by the gate`, mend);
  }
  const seen = `${told(site, reply)}, and no gate answers for this URL: it is open to everybody, \`unprotected\` or not protected at all`;
  const mend =
    '`signet check` tells which; if it is meant to be open, name a protected URL, else put `import protect NAME REQUIREMENT { … }` around what serves it';
  return wrong(name, seen, mend);
}

/** Returns the line about a `/.signet/me` without an answer. */
export function judgeSilence({ problem, isUnasked }: Failed): Line {
  if (isUnasked) return notLookedAt('sidecar', problem);
  return wrong('sidecar', `/.signet/me: ${problem}`, NO_GATE);
}

/** Returns whether Caddy says in the gate's place that it has no answer of it. */
export function isWithoutGate(reply: Reply): boolean {
  return isUndecided(reply) && (reply.status === 502 || reply.status === 504);
}

// Caddy's own error page, with the id that was set early.
function noGate(name: string, { status }: Reply): Line {
  return wrong(name, `${status}, and not of the sidecar: Caddy has no answer of the gate`, NO_GATE);
}

function told(site: URL, reply: Reply): string {
  const to = redirectOf(site, reply);
  return to === undefined
    ? `${reply.status}`
    : `${reply.status} to ${quoted(to.origin + to.pathname)}`;
}

function redirectOf(site: URL, { status, headers }: Reply): URL | undefined {
  const [location] = headers['location'] ?? [];
  if (location === undefined || status < 300 || status > 399) return undefined;
  return URL.parse(location, site.href) ?? undefined;
}
