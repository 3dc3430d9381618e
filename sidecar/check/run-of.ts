// Which handlers ran before another for sure, where routes run apart from what stands around them: those of errors, and
// those for an answer. Pure.
import type { Visit } from '../edge/walk.ts';

/** Returns whether the other runs in the same list of routes or around it, and did wherever this one comes. */
export function isBefore(other: Visit, { pointer, site, mode, given }: Visit): boolean {
  const run = runOf(pointer);
  if (run === undefined || run !== runOf(other.pointer)) return false;
  if (other.site !== site || other.mode !== mode) return false;
  return other.given.every((condition) => given.includes(condition));
}

/** Returns where the routes stand that run with this; undefined in a named route, which can run more than once. */
export function runOf(pointer: string): string | undefined {
  if (pointer.includes('/named_routes/')) return undefined;
  return /^(.*\/(?:errors|handle_response\/\d+))\/routes\//.exec(pointer)?.[1];
}
