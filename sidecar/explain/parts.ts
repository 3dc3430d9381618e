// Parts of a handler's own JSON, whatever stands there.
import { recordAt } from '../edge/adapted.ts';

/** Returns the records of a list; none where it is none. */
export function recordsAt(part: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(part) ? part.map(recordAt) : [];
}

/** Returns a text, or a number as one; empty for anything else. */
export function textAt(part: unknown): string {
  return typeof part === 'string' || typeof part === 'number' ? String(part) : '';
}
