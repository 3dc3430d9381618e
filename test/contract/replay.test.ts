// `signet deliver`: history, and what was refused, is sent again over real gRPC from a real store, with the
// same ids, and nothing else changes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { createAuditReader } from '../../sidecar/audit/reader.ts';
import { countHistory, history, type Period } from '../../sidecar/delivery/history.ts';
import { createRereading } from '../../sidecar/delivery/renew.ts';
import { createSpanFeed } from '../../sidecar/delivery/feed.ts';
import { refusalsIn } from '../../sidecar/delivery/refused-rows.ts';
import { createRefusals, refusedNote } from '../../sidecar/delivery/refusals.ts';
import {
  MAX_TRIES,
  replay,
  type ReplayOptions,
  type ReplayRow,
} from '../../sidecar/delivery/replay.ts';
import { PAGE_ROWS } from '../../sidecar/delivery/source.ts';
import { spansOf } from '../../sidecar/trace/spans.ts';
import { createSpansOf } from '../../sidecar/trace/worth.ts';
import { runSignet } from '../fixtures/cli.ts';
import { SLOW_US } from '../fixtures/deliveries.ts';
import { databaseKinds } from '../fixtures/databases.ts';
import { startMisbehavingReceiver } from '../fixtures/misbehaving-receiver.ts';
import { startReceiver, type Receiver } from '../fixtures/receiver.ts';
import { openRecord, type Record as Recorded } from '../fixtures/records.ts';
import { createTransportWorld, KINDS, type TransportWorld } from '../fixtures/transports.ts';
import { aFullRow, anEvent, aRow, requestId, STARTED_AT_US } from '../fixtures/rows.ts';

const SECOND_US = 1_000_000;
const ALL: Period = { sinceUs: 0, untilUs: Number.MAX_SAFE_INTEGER };
const at = (seconds: number) => STARTED_AT_US + seconds * SECOND_US;
const row = (number: number) => aRow({ startedAtUs: at(number) }, number);
const sampledSpansOf = createSpansOf(SLOW_US);
const hasSpans = (each: ReplayRow) => sampledSpansOf(each).length > 0;

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
    for await (const rows of history(reader, record.chain, period, hasSpans)) {
      ids.push(...rows.map((each) => each.requestId));
    }
    expect(await countHistory(reader, record.chain, period, SLOW_US)).toBe(ids.length);
    return ids;
  }

  test('is in the order of time, however it was recorded, from the beginning up to before the end', async () => {
    await record.commit(row(3), row(1), row(4), row(2));
    const ids = await idsOf({ sinceUs: at(1), untilUs: at(4) });
    expect(ids).toEqual([1, 2, 3].map(requestId));
  });

  test('has each row once, also where hundreds have one time', async () => {
    const rows = Array.from({ length: 2 * PAGE_ROWS + 50 }, (_, number) =>
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

  test('has errors and slow requests that are not sampled, and no other such ones', async () => {
    const unsampled = [
      { status: 500 },
      { durationUs: SLOW_US },
      { durationUs: SLOW_US, status: 101 },
      { durationUs: SLOW_US, decision: 'deny', status: 403 },
      { durationUs: SLOW_US - 1 },
      { reason: 'stamp-invalid' },
      { decision: 'deny', status: 403 },
      { durationUs: SLOW_US, decision: 'login', reason: 'session-unknown' },
      { durationUs: SLOW_US, decision: 'login', reason: 'no-credentials' },
      { durationUs: SLOW_US, decision: 'none', reason: 'gate-refused' },
    ] as const;
    const rows = unsampled.map((overrides, number) =>
      aRow({ ...overrides, sampled: false, startedAtUs: at(number) }, number),
    );
    await record.commit(...rows);
    expect(await idsOf(ALL)).toEqual([0, 1, 5, 8].map(requestId));
  });

  test('is gathered into whole batches, where most is not sampled', async () => {
    const rows = Array.from({ length: 3 * PAGE_ROWS }, (_, number) =>
      aRow({ sampled: number % 2 === 0 }, number),
    );
    await record.commit(...rows);
    const lengths: number[] = [];
    const reader = createAuditReader(record.database);
    for await (const batch of history(reader, record.chain, ALL, hasSpans)) {
      lengths.push(batch.length);
    }
    expect(lengths).toEqual([PAGE_ROWS, PAGE_ROWS / 2]);
  });
});

describe('a destination', () => {
  const { SQLite: kind } = databaseKinds();
  let record: Recorded;
  let receiver: Receiver;
  let world: TransportWorld;
  beforeAll(async () => {
    world = createTransportWorld();
    await kind!.start();
  });
  afterAll(async () => {
    await kind!.stop();
    await world.end();
  });
  beforeEach(async () => {
    record = await openRecord(await kind!.make());
    receiver = await startReceiver();
  });
  afterEach(async () => {
    await record.close();
    await receiver.stop();
  });

  async function send(options: Partial<ReplayOptions> = {}) {
    const transport = world.transport(KINDS[0]![1], receiver.port);
    const reader = createAuditReader(record.database);
    const batches = history(reader, record.chain, ALL, hasSpans);
    const feed = createSpanFeed({}, '1', sampledSpansOf);
    const pauses = { firstBackoffMs: 1, longestBackoffMs: 2 };
    const renew = createRereading(reader, record.chain);
    return replay({ batches, transport, feed, renew, pauses, ...options });
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
    await record.commit(...Array.from({ length: PAGE_ROWS + 50 }, (_, number) => row(number)));
    const onProgress = () => receiver.answerWith(status.UNAVAILABLE);
    const replayed = await send({ onProgress });
    expect(replayed).toMatchObject({ sent: PAGE_ROWS, refused: 0, leftFromUs: at(PAGE_ROWS) });
    expect(replayed.problem).toContain('UNAVAILABLE');
    expect(receiver.calls).toHaveLength(1 + MAX_TRIES);
  });

  test.each([['UNAUTHENTICATED'], ['UNIMPLEMENTED']] as const)(
    'that answers %s is left after a few tries: somebody has to mend that',
    async (code) => {
      await record.commit(row(1), row(2));
      receiver.answerWith(status[code]);
      const replayed = await send();
      expect(replayed).toMatchObject({ sent: 0, leftFromUs: at(1) });
      expect(replayed.problem).toContain(code);
      // Some smaller and smaller pieces: it might have been one row's fault.
      expect(receiver.calls).toHaveLength(4);
    },
  );

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
    await record.commit(...Array.from({ length: PAGE_ROWS + 50 }, (_, number) => row(number)));
    const interrupted = new AbortController();
    const onProgress = () => interrupted.abort();
    const { signal } = interrupted;
    expect(await send({ onProgress, signal })).toEqual({
      sent: PAGE_ROWS,
      refused: 0,
      rejectedSpans: 0,
      leftFromUs: at(PAGE_ROWS - 1),
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
  let world: TransportWorld;
  let record: Recorded;
  let one: Receiver;
  let two: Receiver;
  let env: Record<string, string>;

  beforeAll(() => void (world = createTransportWorld()));
  afterAll(() => world.end());
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

  test('a destination’s other port ends it at once, and is told', async () => {
    const { port } = await world.receiver(KINDS[2]![1]);
    env['SIGNET_DESTINATION'] = `lightstep@http://127.0.0.1:${port}`;
    const { code, out, err } = await deliver('--since', '2026-11-20T00:00Z');
    expect({ code, err }).toEqual({ code: 75, err: '' });
    expect(out).toContain('is this its HTTP port? protocol: http/protobuf');
  });

  test('a time that is yet to come is said to be one', async () => {
    const { code, err } = await deliver('--since', '2999-01-01T00:00Z');
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringMatching(/--since lies in/) });
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

  describe('--refused', () => {
    const reader = () => createAuditReader(record.database);
    const open = () => refusalsIn(reader(), record.chain, 'lightstep');

    beforeEach(async () => {
      const refusals = createRefusals(undefined);
      const reason = 'answered INVALID_ARGUMENT: as told';
      refusals.add([1, 3].map((sequence) => ({ sequence, atMs: 1, reason })));
      await record.store.moveCursor('lightstep', 3, {
        [refusedNote('lightstep')]: refusals.toNote(),
      });
    });

    test('sends what a destination refused, and takes it off its list', async () => {
      const { code, out, err } = await deliver('--refused');
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toBe('lightstep: 2 requests sent\notlp: 0 requests sent\n');
      expect([tracesAt(one), tracesAt(two)]).toEqual([2, 0]);
      expect(await open()).toEqual([]);
    });

    test('leaves on the list what is refused again', async () => {
      one.refuseWhenTraceIs(requestId(3).replaceAll('-', ''));
      const { code, out } = await deliver('--refused', '--destination', 'lightstep');
      expect(code).toBe(1);
      expect(out).toMatch(
        /^lightstep: 1 requests sent; 1 refused for good, the last for: lightstep at .*INVALID_ARGUMENT/,
      );
      expect(await open()).toMatchObject([{ sequence: 3 }]);
    });

    test('leaves on the list what a destination that is away did not get', async () => {
      one.answerWith(status.UNAUTHENTICATED);
      const { code, out } = await deliver('--refused', '--destination', 'lightstep');
      expect(code).toBe(75);
      expect(out).toContain('go on with --refused');
      expect(await open()).toHaveLength(2);
    });

    test('takes off the list what is no longer there', async () => {
      await record.database.run('DELETE FROM audit_rows WHERE sequence = 1');
      const { out } = await deliver('--refused', '--destination', 'lightstep');
      expect(out).toBe('lightstep: 1 requests sent\n');
      expect(await open()).toEqual([]);
    });

    test('sends log records as well, of every row that was refused', async () => {
      await record.commit(anEvent());
      const logs = world.own(await startMisbehavingReceiver('http/protobuf'));
      const name = 'otlp/logs';
      const refusals = createRefusals(undefined);
      refusals.add([2, 4].map((sequence) => ({ sequence, atMs: 1, reason: 'as told' })));
      await record.store.moveCursor(name, 4, { [refusedNote(name)]: refusals.toNote() });
      writeFileSync(
        join(folder, 'signet.yaml'),
        `destinations: [{ name: otlp, profile: otlp, protocol: http/protobuf, signals: [logs], endpoint: 'http://127.0.0.1:${logs.port}' }]`,
      );
      const { SIGNET_DESTINATION: _, ...others } = env;
      const settings = { ...others, SIGNET_CONFIG: join(folder, 'signet.yaml') };
      const { code, out, err } = await runSignet(['deliver', '--refused'], settings);
      expect({ code, out, err }).toEqual({ code: 0, out: 'otlp/logs: 2 rows sent\n', err: '' });
      expect(logs.calls.map(({ signal }) => signal)).toEqual(['logs']);
      expect(await refusalsIn(reader(), record.chain, name)).toEqual([]);
    });

    test('--dry-run says how many they are and why, and sends nothing', async () => {
      const { code, out } = await deliver('--refused', '--dry-run', '--destination', 'lightstep');
      expect(code).toBe(0);
      expect(out).toBe(
        '2 requests would be sent to lightstep. The last was refused for: INVALID_ARGUMENT\n',
      );
      expect(one.calls).toEqual([]);
      expect(await open()).toHaveLength(2);
    });
  });

  test.each([
    [[]],
    [['--refused', '--since', '1h']],
    [['--since', 'then']],
    [['--since', '1h', '--until', '2h']],
    [['--since', '1h', '--destination', 'elsewhere']],
  ])('%j is refused with 2', async (args) => {
    expect(await deliver(...args)).toMatchObject({ code: 2, out: '' });
  });

  test('a configuration that is wrong is refused with 78', async () => {
    const { code, err } = await runSignet(['deliver', '--since', '1h'], { SIGNET_STATE: folder });
    expect(code).toBe(78);
    expect(err).toContain('SIGNET_DESTINATION');
  });
});
