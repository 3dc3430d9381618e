// How the parts stand, as `/readyz` says it. Pure.
import type { DeliveryState } from './delivery/delivery-state.ts';
import type { Check } from './http/health.ts';
import type { RecorderState } from './recorder-state.ts';
import type { RetentionState } from './retention/retention-state.ts';

/** Returns the check of a part that is ready, or says why not. */
export function toCheck({
  ready,
  readable,
  problem,
}: {
  ready: boolean;
  readable?: true;
  problem?: string;
}): Check {
  return { ok: ready, ...(readable && { readable }), ...(problem !== undefined && { problem }) };
}

type Recorder = RecorderState & { readonly retention?: RetentionState | undefined };

/** Returns a check for the recorder and one for each destination; of retention where rows go by themselves. */
export function recorderChecks(state: Recorder | undefined): Record<string, Check> {
  if (state === undefined) return { recorder: { ok: false, problem: 'it has not started yet' } };
  const { problem, metrics, destinations, decisions, retention, ...counts } = state;
  const checks = {
    recorder: { ...checkOf(problem), ...counts },
    decisions: { ...checkOf(decisions.warning), ...decisions },
    ...(retention !== undefined && {
      retention: { ...checkOf(retention.problem), ...retention },
    }),
  };
  const entries = Object.entries(destinations).map(([name, state]) => [
    `destination ${name}`,
    deliveryCheck(state, counts.lastSequence),
  ]);
  const ofMetrics = Object.entries(metrics).map(([name, { problem, ...rest }]) => [
    `metrics ${name}`,
    { ...checkOf(problem), ...rest },
  ]);
  return { ...checks, ...Object.fromEntries(entries), ...Object.fromEntries(ofMetrics) };
}

function deliveryCheck(state: DeliveryState, lastSequence: number): Check {
  const { cursor, problem, troubles: _, ...rest } = state;
  const waiting = Math.max(0, lastSequence - cursor);
  return { ...checkOf(problem), delivered: cursor, waiting, ...rest };
}

/** Returns the check of a part that is well, unless there is a problem. */
export function checkOf(problem: string | undefined): Check {
  return toCheck({ ready: problem === undefined, ...(problem !== undefined && { problem }) });
}
