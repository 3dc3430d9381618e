// `signet deliver --since`: history is sent again over real gRPC from a real store, with the same ids, and
// nothing else changes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { createAuditReader } from '../../sidecar/audit/reader.ts';
import { countHistory, history, type Period } from '../../sidecar/delivery/history.ts';
import { createOtlpWire } from '../../sidecar/delivery/otlp.ts';
import { BATCH_ROWS } from '../../sidecar/delivery/deliver.ts';
import { MAX_TRIES, replay, type ReplayOptions } from '../../sidecar/delivery/replay.ts';
import { secret } from '../../sidecar/secret.ts';
import { spansOf } from '../../sidecar/trace/spans.ts';
import { runSignet } from '../fixtures/cli.ts';
import { databaseKinds } from '../fixtures/databases.ts';
import { startReceiver, type Receiver } from '../fixtures/receiver.ts';
import { openRecord, type Record as Recorded } from '../fixtures/records.ts';
import { aFullRow, anEvent, aRow, requestId, STARTED_AT_US } from '../fixtures/rows.ts';

const SECOND_US = 1_000_000;
const ALL: Period = { sinceUs: 0, untilUs: Number.MAX_SAFE_INTEGER };
const at = (seconds: number) => STARTED_AT_US + seconds * SECOND_US;
const row = (number: number) => aRow({ startedAtUs: at(number) }, number);

describe.each(Object.entries(databaseKinds()))('history in %s', (_name, kind) => {
  if (kind.missing !== undefined) {
    test.skip(`not tried here: ${kind.missing}`, () => {});
    return;
  }

  let record: Recorded;
  beforeAll(() => kind.start());
  afterAll(() => kind.stop());
  beforeEach(async () => void (record = await openRecord(await kind.make())));
  afterEach(() => record.close());

  async function idsOf(period: Period): Promise<string[]> {
    const ids: string[] = [];
    const reader = createAuditReader(record.database);
    for await (const rows of history(reader, record.chain, period)) {
      ids.push(...rows.map((each) => each.requestId));
    }
    expect(await countHistory(reader, record.chain, period)).toBe(ids.length);
    return ids;
  }

  test('is in the order of time, however it was recorded, from the beginning up to before the end', async () => {
    await record.commit(row(3), row(1), row(4), row(2));
    const ids = await idsOf({ sinceUs: at(1), untilUs: at(4) });
    expect(ids).toEqual([1, 2, 3].map(requestId));
  });

  test('has each row once, also where hundreds have one time', async () => {
    const rows = Array.from({ length: 2 * BATCH_ROWS + 50 }, (_, number) =>
      aRow({ startedAtUs: at(number % 3) }, number),
    );
    await record.commit(...rows);
    const ids = await idsOf(ALL);
    expect(ids).toHaveLength(rows.length);
    expect(new Set(ids).size).toBe(rows.length);
  });

  test('has requests that are sampled, and unexplained ones; no events', async () => {
    const unexplained = aRow({ kind: 'unexplained' }, 3);
    await record.commit(row(1), aRow({ sampled: false }, 2), unexplained, anEvent());
    expect(await idsOf(ALL)).toEqual([3, 1].map(requestId));
  });
});

describe('a destination', () => {
  const { SQLite: kind } = databaseKinds();
  let record: Recorded;
  let receiver: Receiver;
  beforeAll(() => kind!.start());
  afterAll(() => kind!.stop());
  beforeEach(async () => {
    record = await openRecord(await kind!.make());
    receiver = await startReceiver();
  });
  afterEach(async () => {
    await record.close();
    await receiver.stop();
  });

  async function send(options: Partial<ReplayOptions> = {}) {
    const metadata = { 'lightstep-access-token': secret('the-token') };
    const wire = createOtlpWire({ name: 'one', endpoint: receiver.endpoint, metadata }, {}, '1');
    const batches = history(createAuditReader(record.database), record.chain, ALL);
    try {
      return await replay({ batches, wire, spansOf, firstBackoffMs: 1, ...options });
    } finally {
      await wire.close();
    }
  }

  test('gets the same spans as the first time, and its cursor stays where it is', async () => {
    await record.commit(aFullRow(), row(2));
    await record.store.moveCursor('one', 1);
    const stored = await record.store.rowsAfter(0, 10);
    const first = stored.flatMap((each) => (each.kind === 'request' ? spansOf(each) : []));
    expect(await send()).toMatchObject({ sent: 2, refused: 0 });
    const idOf = ({ traceId, spanId }: { traceId: string; spanId: string }) =>
      `${traceId} ${spanId}`;
    expect(receiver.spans.map(idOf).toSorted()).toEqual(first.map(idOf).toSorted());
    expect(await record.store.cursor('one')).toBe(1);
  });

  test('that is away for some tries gets everything, once', async () => {
    await record.commit(...Array.from({ length: 300 }, (_, number) => row(number)));
    receiver.answerWith(status.UNAVAILABLE);
    const problems: string[] = [];
    const onProblem = (problem: string) => {
      problems.push(problem);
      receiver.answerWith(undefined);
    };
    expect(await send({ onProblem })).toMatchObject({ sent: 300, refused: 0 });
    expect(problems).toEqual([expect.stringContaining('UNAVAILABLE')]);
    const ingress = receiver.spans.filter(({ kind: of }) => of.endsWith('SERVER'));
    expect(ingress).toHaveLength(300);
  });

  test('that stays away is left after some tries, and it is said from when on', async () => {
    await record.commit(...Array.from({ length: BATCH_ROWS + 50 }, (_, number) => row(number)));
    const onProgress = () => receiver.answerWith(status.UNAUTHENTICATED);
    const replayed = await send({ onProgress });
    expect(replayed).toMatchObject({ sent: BATCH_ROWS, refused: 0, leftFromUs: at(BATCH_ROWS) });
    expect(replayed.problem).toContain('the token was refused');
    expect(receiver.calls).toHaveLength(1 + MAX_TRIES);
  });

  test('that acknowledges spans and does not keep them is told of', async () => {
    await record.commit(row(1));
    const partialSuccess = { rejectedSpans: 1, errorMessage: 'older than a day' };
    receiver.acknowledgeWith({ partialSuccess });
    const problems: string[] = [];
    const onProblem = (problem: string) => void problems.push(problem);
    expect(await send({ onProblem })).toEqual({ sent: 1, refused: 0, rejectedSpans: 1 });
    expect(problems).toEqual([expect.stringContaining('older than a day')]);
  });

  test('that refuses one request for good gets all others', async () => {
    await record.commit(...Array.from({ length: 130 }, (_, number) => row(number)));
    receiver.refuseWhenTraceIs(requestId(77).replaceAll('-', ''));
    const problems: string[] = [];
    const onProblem = (problem: string) => void problems.push(problem);
    expect(await send({ onProblem })).toMatchObject({ sent: 129, refused: 1 });
    expect(problems).toEqual([]); // nothing to wait for
    const traces = new Set(receiver.spans.map(({ traceId }) => traceId));
    expect(traces.size).toBe(129);
  });

  test('gets no more when it is interrupted, and it is said from when on', async () => {
    await record.commit(...Array.from({ length: BATCH_ROWS + 50 }, (_, number) => row(number)));
    const interrupted = new AbortController();
    const onProgress = () => interrupted.abort();
    const { signal } = interrupted;
    expect(await send({ onProgress, signal })).toEqual({
      sent: BATCH_ROWS,
      refused: 0,
      rejectedSpans: 0,
      leftFromUs: at(BATCH_ROWS - 1),
    });
  });

  test('gets of a forgotten person what the store still has', async () => {
    await record.commit(aFullRow());
    await record.forget('alice');
    await send();
    expect(receiver.spans.length).toBeGreaterThan(0);
    expect(JSON.stringify(receiver.spans)).not.toMatch(/alice|orders\/17|192\.0\.2/);
  });
});

describe('signet deliver', () => {
  let folder: string;
  let record: Recorded;
  let one: Receiver;
  let two: Receiver;
  let env: Record<string, string>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'signet-deliver-'));
    record = await openRecord(join(folder, 'audit.db'));
    await record.commit(row(1), row(2), row(3));
    one = await startReceiver();
    two = await startReceiver();
    env = {
      SIGNET_STATE: folder,
      SIGNET_ISSUER: 'https://login.example.com',
      SIGNET_CLIENT_ID: 'signet',
      SIGNET_CLIENT_SECRET: 'x'.repeat(32),
      SIGNET_DESTINATION: `lightstep@${one.endpoint},otlp@${two.endpoint}`,
      LIGHTSTEP_ACCESS_TOKEN: 'the-token',
    };
  });
  afterEach(async () => {
    await record.close();
    await one.stop();
    await two.stop();
    rmSync(folder, { recursive: true });
  });

  const deliver = (...args: string[]) => runSignet(['deliver', ...args], env);
  const tracesAt = (receiver: Receiver) =>
    new Set(receiver.spans.map(({ traceId }) => traceId)).size;

  test('sends to every destination, with its token and the sidecar’s resource, and says how many', async () => {
    const { code, out, err } = await deliver('--since', '2026-11-20T00:00Z');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toBe('lightstep: 3 requests sent\notlp: 3 requests sent\n');
    expect([tracesAt(one), tracesAt(two)]).toEqual([3, 3]);
    expect(one.calls[0]).toEqual({ token: 'the-token' });
    expect(one.spans[0]?.resource).toMatchObject({ 'service.name': 'caddy' });
  });

  test('sends to one, and of one time, when asked to', async () => {
    const args = ['--since', '2026-11-20T10:35:16Z', '--until', '2026-11-20T10:35:17Z'];
    const { code } = await deliver(...args, '--destination', 'otlp');
    expect(code).toBe(0);
    expect([tracesAt(one), tracesAt(two)]).toEqual([0, 1]);
  });

  test('--dry-run says how many it would be, and sends nothing', async () => {
    const { code, out } = await deliver('--since', '2026-11-20T00:00Z', '--dry-run');
    expect(code).toBe(0);
    expect(out).toBe('3 requests would be sent to lightstep, otlp.\n');
    expect(one.calls).toEqual([]);
  });

  test('what a destination refuses for good makes it 1', async () => {
    one.refuseWhenTraceIs(requestId(2).replaceAll('-', ''));
    const { code, out } = await deliver('--since', '2026-11-20T00:00Z');
    expect(code).toBe(1);
    expect(out).toContain('lightstep: 2 requests sent; 1 refused for good');
  });

  test('what a destination acknowledges and does not keep makes it 1', async () => {
    const partialSuccess = { rejectedSpans: 2, errorMessage: 'older than a day' };
    one.acknowledgeWith({ partialSuccess });
    const { code, out, err } = await deliver('--since', '2026-11-20T00:00Z');
    expect(code).toBe(1);
    expect(out).toContain('lightstep: 3 requests sent; 2 spans of them not kept');
    expect(err).toContain('older than a day');
  });

  test('OTEL_EXPORTER_OTLP_HEADERS are for the destination otlp, and reach no other', async () => {
    env['OTEL_EXPORTER_OTLP_HEADERS'] = 'lightstep-access-token=of-otlp';
    env['SIGNET_DESTINATION'] = `otlp@${one.endpoint},otlp@${two.endpoint}`;
    const { code } = await deliver('--since', '2026-11-20T00:00Z');
    expect(code).toBe(0);
    expect([one.calls[0]?.token, two.calls[0]?.token]).toEqual(['of-otlp', '']);
  });

  test.each([
    [[]],
    [['--since', 'then']],
    [['--since', '1h', '--until', '2h']],
    [['--since', '1h', '--destination', 'elsewhere']],
  ])('%j is refused with 2', async (args) => {
    expect(await deliver(...args)).toMatchObject({ code: 2, out: '' });
  });

  test('a configuration that is wrong is refused with 78', async () => {
    const { code, err } = await runSignet(['deliver', '--since', '1h'], { SIGNET_STATE: folder });
    expect(code).toBe(78);
    expect(err).toContain('SIGNET_ISSUER');
  });
});
