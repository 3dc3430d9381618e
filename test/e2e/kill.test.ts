// The sidecar is killed at a random moment with requests of every ending in flight: nothing that Caddy
// served is missing from the record, and nothing is there twice. Many kills are in kill-often.test.ts.
// SIGNET_TEST_SEED repeats what a failed run has drawn.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openAuditStore } from '../../sidecar/audit/open.ts';
import { startEdge, type Edge, type Reply } from '../fixtures/edge.ts';
import { createRandom, testSeeds, type Random } from '../fixtures/random.ts';
import { readiness } from '../fixtures/sidecar.ts';
import { SITE } from '../fixtures/site.ts';
import { until } from '../fixtures/until.ts';

const SLOW_REQUESTS = 24;
/** Longer than it takes until the kill: half of the others are answered by then. */
const SLOW_MS = 8000;
const MIXED_REQUESTS = 400;
const CLIENTS = 12;

let edge: Edge;
let alice: string;
beforeAll(async () => {
  edge = await startEdge(SITE);
  alice = await edge.signIn('alice');
});
afterAll(async () => edge.stop());

/** A request of each ending. */
const ENDINGS: readonly { isOpen?: true; send: () => Promise<Reply> }[] = [
  { send: () => edge.send('/orders', [alice]) },
  { send: () => edge.send('/orders/status/500', [alice]) },
  { send: () => edge.send('/orders/abort', [alice]) },
  { send: () => edge.leave('/orders/big', [alice]) },
  { send: () => edge.leave('/orders/stream', [alice]) },
  { send: () => edge.send('/admin/x', [alice]) },
  { send: () => edge.send('/orders') },
  { send: () => edge.send('/orders', ['Sec-Fetch-Mode: navigate']) },
  { send: () => edge.send('/public/x') },
  { isOpen: true, send: () => edge.send('/open/x') },
];

/** Requests under way, and the answers that came. */
function createTraffic() {
  const replies: Reply[] = [];
  let inFlight = 0;
  async function add(request: Promise<Reply>): Promise<void> {
    inFlight += 1;
    try {
      replies.push(await request);
    } finally {
      inFlight -= 1;
    }
  }
  return { replies, inFlight: () => inFlight, add };
}

/** Sends the plan through some clients at once, and calls `onReply` with the number of answers. */
async function drive(
  plan: readonly (() => Promise<Reply>)[],
  add: (request: Promise<Reply>) => Promise<void>,
  onReply: (count: number) => void,
): Promise<void> {
  const left = [...plan];
  let count = 0;
  const client = async () => {
    for (let send = left.shift(); send !== undefined; send = left.shift()) {
      await add(send());
      onReply(++count);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

function slowRequests(random: Random): Promise<Reply>[] {
  return Array.from({ length: SLOW_REQUESTS }, () =>
    edge.send(`/orders/slow?ms=${SLOW_MS + random.below(1000)}`, [alice]),
  );
}

function mixedPlan(random: Random): (() => Promise<Reply>)[] {
  const sends = Array.from({ length: MIXED_REQUESTS / ENDINGS.length }, () => ENDINGS).flat();
  return random.shuffled(sends.map(({ send }) => send));
}

async function expectOutage(add: (request: Promise<Reply>) => Promise<void>): Promise<void> {
  for (const { isOpen, send } of ENDINGS) {
    const request = send();
    await add(request);
    expect((await request).status).toBe(isOpen ? 200 : 502);
  }
}

/** One row and one ingress span for each line of the log, and nothing else. */
async function expectRecorded(): Promise<void> {
  await until('a row for each line', () => edge.rows().length === edge.logLines().length, 45_000);
  const rows = edge.rows();
  const logged = edge.logLines().map((line) => (JSON.parse(line) as { uuid: string }).uuid);
  expect(rows.map(({ requestId }) => requestId).toSorted()).toEqual(logged.toSorted());
  await until('an ingress span for each row', () => ingressSpans().size === rows.length, 45_000);
  const wanted = rows.map(({ requestId, traceId }) => [traceId, [ingressId(requestId)]] as const);
  expect(ingressSpans()).toEqual(new Map(wanted));
}

const ingressId = (requestId: string) => requestId.replaceAll('-', '').slice(0, 16);

/** Trace id → its distinct SERVER spans: a destination may be sent the same one again. */
function ingressSpans(): Map<string, string[]> {
  const found = new Map<string, Set<string>>();
  for (const { kind, traceId, spanId } of edge.receiver.spans) {
    if (kind === 'SERVER') found.set(traceId, (found.get(traceId) ?? new Set()).add(spanId));
  }
  return new Map([...found].map(([traceId, ids]) => [traceId, [...ids]]));
}

/** The client was told an id of its own, whose row has the status that it saw. */
function expectTold(replies: readonly Pick<Reply, 'requestId' | 'status'>[]): void {
  // An app that dies at once may take the answer's head with it: a line, but nothing for the client.
  const told = replies.filter(({ requestId }) => requestId !== '');
  expect(new Set(told.map(({ requestId }) => requestId)).size).toBe(told.length);
  const statusOf = new Map(edge.rows().map(({ requestId, status }) => [requestId, status]));
  const recorded = told.map(({ requestId }) => statusOf.get(requestId));
  expect(recorded).toEqual(told.map(({ status }) => status));
}

/** What the app has served was allowed, or stands in no protected block. */
function expectServedAsDecided(): void {
  const rowOf = new Map(edge.rows().map((row) => [row.requestId, row]));
  for (const seen of edge.app.seen) {
    const row = rowOf.get(seen.values('x-request-id').join());
    const isAsDecided = row?.decision === 'allow' || row?.reason === 'unprotected';
    expect({ url: seen.url, isAsDecided }).toEqual({ url: seen.url, isAsDecided: true });
  }
}

test.each(testSeeds(1))(
  'seed %i: killed with requests in flight and a WebSocket open, each served request has one row and one ingress span',
  async (seed) => {
    process.stdout.write(`kill -9 of the sidecar: SIGNET_TEST_SEED=${seed} repeats this\n`);
    const random = createRandom(seed);
    const linesBefore = edge.logLines().length;
    edge.app.seen.length = 0;
    const { replies, inFlight, add } = createTraffic();

    const webSocket = await edge.openWebSocket('/orders/ws', alice);
    const slow = slowRequests(random).map(add);
    await until('the slow requests at the app', () => edge.app.seen.length > SLOW_REQUESTS);

    const killAfter = 20 + random.below(MIXED_REQUESTS / 2);
    let inFlightAtKill = 0;
    await drive(mixedPlan(random), add, (count) => {
      if (count !== killAfter) return;
      inFlightAtKill = inFlight();
      edge.sidecar().signal('SIGKILL');
    });
    await edge.sidecar().exited;
    expect(inFlightAtKill).toBeGreaterThanOrEqual(20);
    await expectOutage(add);
    expect(await webSocket.echo('still there?')).toBe('still there?');
    const closesEarly = random.below(2) === 0;
    if (closesEarly) await webSocket.close();

    await edge.startSidecar();
    if (!closesEarly) await webSocket.close();
    await Promise.all(slow);

    const requests = 1 + SLOW_REQUESTS + MIXED_REQUESTS + ENDINGS.length;
    expect(1 + replies.length).toBe(requests);
    await until('all lines', () => edge.logLines().length === linesBefore + requests);
    await expectRecorded();
    expectTold([{ requestId: webSocket.requestId, status: 101 }, ...replies]);
    expectServedAsDecided();
  },
);

test('after SIGTERM the checkpoint equals the log’s size, and a second start adds nothing', async () => {
  const linesBefore = edge.logLines().length;
  await Promise.all(ENDINGS.map(({ send }) => send()));
  await until('all lines', () => edge.logLines().length === linesBefore + ENDINGS.length);
  expect(await edge.sidecar().stop()).toBe(0);

  const store = await openAuditStore({ path: join(edge.folder, 'audit.db') });
  const checkpoint = await store.checkpoint();
  await store.close();
  expect(checkpoint).toMatchObject({ offset: statSync(edge.accessLog).size });
  await expectRecorded();
  const [rows, spans] = [edge.rows(), edge.receiver.spans.length];

  await edge.startSidecar();
  const sidecar = edge.sidecar();
  await readiness(edge.healthPort, sidecar, ({ checks }) => checks['recorder']?.rows !== undefined);
  // Whatever it would have read or sent again comes before this request's.
  const { requestId } = await edge.send('/orders', [alice]);
  await edge.spans(requestId, 3);
  expect(edge.rows().slice(0, -1)).toEqual(rows);
  expect(edge.receiver.spans).toHaveLength(spans + 3);
});
