// What `intercept` makes of an answer: whether one of its routes takes it. What these routes then do is not followed:
// they see headers of an answer that only the running Caddy has.
import { recordAt } from '../edge/adapted.ts';
import { candidates } from './answers.ts';
import { recordsAt } from './parts.ts';
import { forked, type GateAnswer, type Served, type Way } from './way.ts';

type Ended<V> = { readonly served: Served; readonly way?: Way<V> };

/** Returns what comes of an answer: itself, what stands in its place, or either. */
export function intercepted<V>(before: Way<V>, { served, way = before }: Ended<V>): Ended<V>[] {
  if (!isAnswer(served)) return [{ served, way }];
  const met = way.intercepts.flatMap((handler) =>
    candidates(recordsAt(recordAt(handler)['handle_response']), answerOf(served)).map(
      (one) => one.met,
    ),
  );
  const instead = { by: 'intercept', of: served } as const;
  const [first] = met;
  if (first === undefined) return [{ served, way }];
  if (met.some((one) => one.met === 'yes')) return [{ served: instead, way }];
  const why = `an \`intercept\` takes the answer: ${first.why}`;
  const [taken = way, left = way] = forked(
    way,
    why,
    (on) => on,
    (past) => past,
  );
  return [
    { served: instead, way: taken },
    { served, way: left },
  ];
}

// An error goes past it, and of nothing nothing is seen.
function isAnswer({ by }: Served): boolean {
  return ['gate', 'proxy', 'redirect', 'response', 'handler'].includes(by);
}

function answerOf(served: Served): GateAnswer | undefined {
  const status = 'status' in served ? Number(served.status) : NaN;
  return Number.isInteger(status) ? { status, has: [], lacks: [] } : undefined;
}
