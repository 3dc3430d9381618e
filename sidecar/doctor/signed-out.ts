// What the site answers to somebody who has not signed in: at the URL, and on a page of Signet's own. Pure.
import { signInPath } from '../identity/return-url.ts';
import type { Reply } from './ask.ts';
import { isDecided, requestIdOf } from './gate-mark.ts';
import { type Line, quoted, warning, well, wrong } from './line.ts';

const NO_SIGNET =
  'put `import signet` into this site of the Caddyfile, in front of everything else';
const NO_GATE =
  'does `signet serve` run, and is SIGNET_SOCKET the same for both, in a folder that Caddy may enter? Its log and `signet status` say more';

/** Where a sign-in begins, on this host or on the one where all sign in. */
const SIGN_IN = new URL(signInPath('/'), 'https://any.invalid').pathname;

/** Returns the line about `/.signet/me`: whether it is the sidecar that answers there. */
export function judgeSidecar(reply: Reply): Line {
  const name = 'sidecar';
  const { status, headers } = reply;
  if (requestIdOf(reply) === undefined) {
    return wrong(name, `/.signet/me answers ${status}, without Signet's X-Request-Id`, NO_SIGNET);
  }
  if (status === 502 || status === 504) return noGate(name, reply);
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

/** Returns the line about the URL itself. */
export function judgeSignedOut(reply: Reply): Line {
  const name = 'signed-out';
  const { status } = reply;
  if (requestIdOf(reply) === undefined) {
    const seen = `${status} without one X-Request-Id that is a UUID: Signet's snippet is not in front of it`;
    return wrong(name, seen, NO_SIGNET);
  }
  return isDecided(reply) ? judgeDecided(name, reply) : judgeUndecided(name, reply);
}

function judgeDecided(name: string, reply: Reply): Line {
  const { status } = reply;
  const to = redirectOf(reply);
  if (to?.pathname === SIGN_IN) return well(name, `${status}: sent to sign in`);
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
  return warning(name, `${told(reply)}: the gate lets everybody in here (\`public\`)`, mend);
}

function judgeUndecided(name: string, reply: Reply): Line {
  const { status } = reply;
  if (status === 502 || status === 504) return noGate(name, reply);
  if (status === 404 || (status >= 300 && status < 400)) {
    const mend = 'name a URL that a protected block answers';
    return warning(name, `${told(reply)}, by Caddy and not by the gate`, mend);
  }
  const seen = `${told(reply)}, and the gate was not asked: the block is open to everybody`;
  const mend =
    'put `import protect NAME REQUIREMENT { … }` around what serves it; is it meant to be open (`import unprotected`), name a protected URL';
  return wrong(name, seen, mend);
}

// Caddy's own error page, with the id that was set early.
function noGate(name: string, { status }: Reply): Line {
  return wrong(name, `${status}, and not of the sidecar: Caddy has no answer of the gate`, NO_GATE);
}

function told(reply: Reply): string {
  const to = redirectOf(reply);
  return to === undefined
    ? `${reply.status}`
    : `${reply.status} to ${quoted(to.origin + to.pathname)}`;
}

/** Returns where an answer leads; a relative one at a host that is none. */
function redirectOf({ status, headers }: Reply): URL | undefined {
  const [location] = headers['location'] ?? [];
  if (location === undefined || status < 300 || status > 399) return undefined;
  return URL.parse(location, 'https://any.invalid') ?? undefined;
}
