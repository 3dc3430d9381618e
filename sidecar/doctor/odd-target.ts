// A request target without a path (SECURITY.md, "Targets without a path"): nothing but a refusal may come of it. Pure.
import type { Reply } from './ask.ts';
import { type Line, warning, well, wrong } from './line.ts';

/** A page of the sidecar's own, whose 200 is no decision. */
export const ODD_TARGET = 'x:http://x/.signet/signed-out';

const MEND = 'install this Signet, and write its snippets anew (`signet snippet`)';

/** Returns the line about the answer to ODD_TARGET. */
export function judgeOddTarget({ status }: Reply): Line {
  const name = 'odd target';
  if (status === 400) return well(name, 'a target without a path is refused with 400');
  const seen = `${ODD_TARGET} is answered ${status}, and not refused with 400`;
  if (status >= 200 && status < 300) return wrong(name, `${seen}: it goes past the gate`, MEND);
  return warning(name, seen, MEND);
}
