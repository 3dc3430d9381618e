// How the parts stand, as `/readyz` says it. Pure.
import type { Check } from './http/health.ts';
import type { RecorderState } from './recorder-state.ts';

/** Returns the check of a part that is ready, or says why not. */
export function toCheck({ ready, problem }: { ready: boolean; problem?: string }): Check {
  return { ok: ready, ...(problem !== undefined && { problem }) };
}

/** Returns a check for the recorder and one for each destination. */
export function recorderChecks(state: RecorderState | undefined): Record<string, Check> {
  if (state === undefined) return { recorder: { ok: false, problem: 'it has not started yet' } };
  const { problem, metricsProblem, destinations, decisions, ...counts } = state;
  const checks = {
    recorder: { ...checkOf(problem), ...counts },
    ...(metricsProblem !== undefined && { metrics: checkOf(metricsProblem) }),
    decisions: { ...checkOf(decisions.warning), ...decisions },
  };
  const entries = Object.entries(destinations).map(([name, { cursor, problem, ...rest }]) => [
    `destination ${name}`,
    {
      ...checkOf(problem),
      delivered: cursor,
      waiting: Math.max(0, counts.lastSequence - cursor),
      ...rest,
    },
  ]);
  return { ...checks, ...Object.fromEntries(entries) };
}

function checkOf(problem: string | undefined): Check {
  return toCheck({ ready: problem === undefined, ...(problem !== undefined && { problem }) });
}
