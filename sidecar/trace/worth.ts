// What a request is worth to whoever looks at traces: so that, where not all can be sent, the dull go first.
import type { RequestRow } from '../audit/row.ts';
import { NAMES } from './names.ts';
import { isRefusal } from './refusal.ts';
import { ingressSpanOf, spansOf, type SpanRow } from './spans.ts';
import type { Span } from './span.ts';

/** Dearest first. */
export const WORTHS = ['error', 'refusal', 'slow', 'other'] as const;

export type Worth = (typeof WORTHS)[number];

/**
 * Returns what the row is worth. `slowUs` and longer is slow, but for what was upgraded (101): a
 * WebSocket is a row when it closes. Evidence that doesn't hold is as dear as an error.
 */
export function worthOf(row: RequestRow, slowUs: number): Worth {
  if (row.status >= 500 || row.kind === 'unexplained' || row.reason === 'stamp-invalid') {
    return 'error';
  }
  if (isRefusal(row)) return 'refusal';
  return row.durationUs >= slowUs && row.status !== 101 ? 'slow' : 'other';
}

/**
 * Returns what makes a row's spans as sampling has it: all of a sampled row; of an error or a slow
 * request that wasn't sampled the ingress span, which says so; of others none.
 */
export function createSpansOf(slowUs: number): (row: SpanRow) => Span[] {
  return (row) => {
    if (row.sampled) return spansOf(row);
    const worth = worthOf(row, slowUs);
    return worth === 'error' || worth === 'slow' ? [sampledLate(row, worth)] : [];
  };
}

// The decision fell before anyone knew how it would end. The app's spans are missing, and the W3C flag
// says so to whoever counts or joins.
function sampledLate(row: SpanRow, why: 'error' | 'slow'): Span {
  const span = ingressSpanOf(row);
  return {
    ...span,
    isSampled: false,
    attributes: { ...span.attributes, [NAMES.sampledLate]: why },
  };
}
