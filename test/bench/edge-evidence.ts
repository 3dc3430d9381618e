// Whether the evidence of a load has come in: a row for every request and three spans for every row,
// all of the right user. Looks at the audit store itself, and at what the receiver counted.
import { openAuditReader } from '../../sidecar/audit/open.ts';
import { until } from '../fixtures/until.ts';
import type { World } from './edge-world.ts';

/** Three for a request that was let through: ingress, gate, upstream. */
export const SPANS_PER_REQUEST = 3;

/** A recorder that falls behind is measured, and given up only when it is slower than this. */
const GRACE_MS = 60_000;
const SLOWEST_MS_PER_REQUEST = 2;

export type Arrived = {
  /** From the end of the load until every row was there, and every span. */
  readonly rowsMs: number;
  readonly spansMs: number;
  readonly rows: number;
  readonly spans: number;
  /** Those of the right user among them. */
  readonly rowsOfUser: number;
  readonly spansOfUser: number;
};

export type Evidence = {
  /** Resolves when all that was sent so far is recorded and delivered: what comes after is counted from here. */
  begin(): Promise<void>;
  /** Resolves when all that was sent so far is recorded, delivered or not. */
  recorded(): Promise<void>;
  /** Resolves when a load since then has arrived, and to what has. */
  arrived(requests: number, user: string): Promise<Arrived>;
  close(): Promise<void>;
};

/** Returns the evidence of the world's recording Signet. */
export async function createEvidence(world: World): Promise<Evidence> {
  const { on, requests: sent, counter } = world;
  const reader = await openAuditReader({ path: on.auditStore });
  let from = { sequence: 0, sent: 0, spans: 0, ofUser: {} as Readonly<Record<string, number>> };

  const lastSequence = async () => Math.max(0, ...(await reader.places()).values());

  async function countRows(condition = '', ...values: string[]): Promise<number> {
    const sql = `SELECT count(*) AS count FROM audit_rows WHERE sequence > ? AND kind = 'request' ${condition}`;
    const [counted] = await reader.all(sql, [from.sequence, ...values]);
    return Number(counted?.['count']);
  }

  // Events are rows, too: counting begins only when there are enough of all kinds.
  async function haveRows(count: number): Promise<boolean> {
    if ((await lastSequence()) < from.sequence + count) return false;
    return (await countRows()) >= count;
  }

  async function recorded(): Promise<void> {
    const expected = sent.sent('on') - from.sent;
    await until(`${expected} rows`, () => haveRows(expected), patience(expected));
  }

  async function begin(): Promise<void> {
    await recorded();
    const sequence = await lastSequence();
    const withinMs = patience(sequence - from.sequence);
    await until('their spans', () => isDelivered(world, sequence), withinMs);
    from = { sequence, sent: sent.sent('on'), ...(await counter().counted()) };
  }

  async function arrived(requests: number, user: string): Promise<Arrived> {
    const endedMs = performance.now();
    const withinMs = patience(requests);
    await until(`${requests} rows`, () => haveRows(requests), withinMs);
    const rowsMs = performance.now() - endedMs;
    const wanted = from.spans + requests * SPANS_PER_REQUEST;
    const haveSpans = async () => (await counter().counted()).spans >= wanted;
    await until(`${wanted} spans`, haveSpans, withinMs);
    const spansMs = performance.now() - endedMs;
    const { spans, ofUser } = await counter().counted();
    return {
      rowsMs,
      spansMs,
      rows: await countRows(),
      rowsOfUser: await countRows('AND "user" = ?', user),
      spans: spans - from.spans,
      spansOfUser: (ofUser[user] ?? 0) - (from.ofUser[user] ?? 0),
    };
  }

  return { begin, recorded, arrived, close: () => reader.close() };
}

/** Returns what is missing or too much, or undefined. */
export function wrongIn(arrived: Arrived, requests: number): string | undefined {
  const { rows, rowsOfUser, spans, spansOfUser } = arrived;
  const wanted = requests * SPANS_PER_REQUEST;
  if (rows !== requests || rowsOfUser !== requests) {
    return `${rows} rows, ${rowsOfUser} of the right user, for ${requests} requests`;
  }
  if (spans === wanted && spansOfUser === wanted) return undefined;
  return `${spans} spans, ${spansOfUser} of the right user, in place of ${wanted}`;
}

function patience(requests: number): number {
  return GRACE_MS + requests * SLOWEST_MS_PER_REQUEST;
}

async function isDelivered({ on }: World, sequence: number): Promise<boolean> {
  const { checks } = await on.readiness();
  const destinations = Object.entries(checks).filter(([name]) => name.startsWith('destination'));
  return destinations.every(
    ([, check]) => Number('delivered' in check && check.delivered) >= sequence,
  );
}
