// Requests that nothing but a refusal may come of: a target without a path (SECURITY.md, "Targets without a path"),
// CONNECT, dot segments. An older snippet refuses fewer of them. Pure.
import type { Failed, Reply } from './ask.ts';
import { requestIdOf } from './gate-mark.ts';
import { type Line, notLookedAt, warning, well, wrong } from './line.ts';

/** A page of the sidecar's own, whose 200 is no decision. */
export const ODD_TARGET = 'x:http://x/.signet/signed-out';
/** For CONNECT: the same, which no app gets, whatever the snippet. */
export const CONNECT_TARGET = '/.signet/signed-out';
export const DOTS_TARGET = '/x/%2e%2e/.signet/signed-out';

/** What takes over the snippets of this Signet. */
export const MEND = 'install this Signet, and write its snippets anew (`signet snippet`)';

/** Returns the line about the answer to ODD_TARGET. */
export function judgeOddTarget({ status }: Reply): Line {
  const name = 'odd target';
  if (status === 400) return well(name, 'a target without a path is refused with 400');
  const seen = `${ODD_TARGET} is answered ${status}, and not refused with 400`;
  if (status >= 200 && status < 300) return wrong(name, `${seen}: it goes past the gate`, MEND);
  return warning(name, seen, MEND);
}

/** Returns the line about the answers to CONNECT, and to DOTS_TARGET. */
export function judgeOddRequests(connect: Reply | Failed, dots: Reply | Failed): Line {
  const name = 'odd requests';
  const unasked = [connect, dots].find((one) => 'isUnasked' in one);
  if (unasked && 'problem' in unasked) return notLookedAt(name, unasked.problem);
  const [toConnect, toDots] = [passedOn(connect, 405), passedOn(dots, 400)];
  if (toConnect !== undefined) {
    const seen = `CONNECT is answered ${toConnect}, and not refused with 405: its body may reach apps as requests of nobody`;
    return wrong(name, seen, MEND);
  }
  if (toDots === undefined) {
    return well(name, 'CONNECT is refused with 405, and dot segments in a path with 400');
  }
  const seen = `${DOTS_TARGET} is answered ${toDots}, and not refused with 400`;
  return warning(name, seen, `${MEND}; nothing to do if something in front of Caddy resolves them`);
}

// The status, where it was not refused as the snippet does it, nor by something in front of Caddy.
function passedOn(reply: Reply | Failed, refused: number): number | undefined {
  if ('problem' in reply || reply.status === refused) return undefined;
  const isInFront = requestIdOf(reply) === undefined && reply.status >= 400;
  return isInFront ? undefined : reply.status;
}
