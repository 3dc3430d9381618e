// What counts as a refusal: its trace is kept whatever the ratio, and its spans go before dull ones.
import type { RequestRow } from '../audit/row.ts';

/**
 * Returns whether somebody was refused. Who sends a browser's headers with a forged cookie is sent to sign
 * in, not denied: evidence that was shown and didn't hold is a refusal by whatever answer. So is a request
 * that the gate would not even read.
 */
export function isRefusal({ decision, reason }: Pick<RequestRow, 'decision' | 'reason'>): boolean {
  if (decision === 'login') return reason !== 'no-credentials';
  return decision === 'deny' || reason === 'gate-refused';
}
