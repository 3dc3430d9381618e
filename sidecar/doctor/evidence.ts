// Whether the request that was just made is in the record: it says that Caddy writes its log, that the sidecar
// can read it, and follows it. Waits for the row, not for a time.
import { setTimeout as delay } from 'node:timers/promises';
import { explain } from '../fault.ts';
import type { AuditReader } from '../audit/reader.ts';
import { isRequest, type RequestRow } from '../audit/row.ts';
import { find, parseId } from '../report/find.ts';

export type Awaited =
  | { readonly row: RequestRow; readonly afterMs: number }
  | { readonly missing: true; readonly waitedMs: number }
  | { readonly problem: string };

/** The recorder looks several times a second; a busy one, or one that just started, is some seconds behind. */
export const WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 200;

export type Waiting = {
  /** Of the request, in milliseconds since the epoch. */
  readonly sentAtMs: number;
  /** Hears now and then how long it has waited. */
  readonly tell: (text: string) => void;
  readonly withinMs?: number;
};

/** Returns the row of a request as soon as it is there. Never rejects. */
export async function awaitRow(
  reader: Pick<AuditReader, 'rows'>,
  requestId: string,
  { sentAtMs, tell, withinMs = WITHIN_MS }: Waiting,
): Promise<Awaited> {
  const startedMs = performance.now();
  const waitedMs = () => performance.now() - startedMs;
  const id = parseId(requestId) ?? '';
  try {
    for (;;) {
      const row = (await find(reader as AuditReader, id)).find(isRequest);
      if (row !== undefined) return { row, afterMs: Date.now() - sentAtMs };
      if (waitedMs() > withinMs) return { missing: true, waitedMs: waitedMs() };
      tell(`waiting for the row of the request … ${Math.round(waitedMs() / 1000)} s`);
      await delay(LOOK_EVERY_MS);
    }
  } catch (error) {
    return { problem: explain(error) };
  }
}
