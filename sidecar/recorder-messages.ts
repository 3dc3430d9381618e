// What the main thread and the recorder's say to each other. No evidence of requests is among it: that goes
// through Caddy's log.
import type { EventRow } from './audit/row.ts';
import type { TextFormat } from './metrics/write-text.ts';
import type { RecorderOptions } from './recorder-options.ts';
import type { RecorderState } from './recorder-state.ts';
import type { Span } from './trace/span.ts';

export type ToRecorder =
  | { readonly kind: 'stop' }
  /** From now on by these. Stamps are opened by their keys at once, the rest holds when it says so. */
  | { readonly kind: 'take'; readonly id: number; readonly options: RecorderOptions }
  | {
      readonly kind: 'ask-metrics';
      readonly id: number;
      readonly format: TextFormat;
      readonly checks: Readonly<Record<string, boolean>>;
    }
  /** What happened without a request: to be recorded, however often it is told. */
  | { readonly kind: 'events'; readonly events: readonly EventRow[] }
  /** Of sign-ins, as they ended. */
  | { readonly kind: 'spans'; readonly spans: readonly Span[] };

export type FromRecorder =
  | { readonly kind: 'state'; readonly state: RecorderState }
  /** Nothing is recorded by the options before any more. */
  | { readonly kind: 'taken'; readonly id: number }
  /** These are in the store. */
  | { readonly kind: 'recorded'; readonly requestIds: readonly string[] }
  | { readonly kind: 'metrics'; readonly id: number; readonly text: string };
