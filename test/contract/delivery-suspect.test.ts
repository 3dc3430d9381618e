// Rows that a destination never takes, whatever it answers to them, beside others that it takes: who is at
// fault is believed by evidence only, nothing that was taken is sent again, and nobody forgotten is sent.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spanLines } from '../../deploy/local/span-line.ts';
import { aheadNote } from '../../sidecar/delivery/ahead.ts';
import { createBudgetedSource } from '../../sidecar/delivery/budgeted-source.ts';
import type { Delivery } from '../../sidecar/delivery/deliver.ts';
import { createSpanFeed } from '../../sidecar/delivery/feed.ts';
import { MANY_REFUSED } from '../../sidecar/delivery/pace.ts';
import { openRefusals, refusedNote } from '../../sidecar/delivery/refusals.ts';
import { createRenew } from '../../sidecar/delivery/renew.ts';
import { replay } from '../../sidecar/delivery/replay.ts';
import { PAGE_ROWS } from '../../sidecar/delivery/source.ts';
import { createVolume, volumeNote } from '../../sidecar/delivery/volume.ts';
import type { Answer, Transport } from '../../sidecar/otlp/transport.ts';
import { createSpanCount } from '../../sidecar/trace/span-count.ts';
import { createSpansOf, worthOf } from '../../sidecar/trace/worth.ts';
import { openOutgoing, RESOURCE, SLOW_US, type Outgoing } from '../fixtures/deliveries.ts';
import { STARTED_AT_US } from '../fixtures/rows.ts';
import { decodeRequest } from '../fixtures/trace-service.ts';
import { until } from '../fixtures/until.ts';

const PAUSES = {
  gatherMs: 1,
  firstBackoffMs: 2,
  longestBackoffMs: 4,
  longestMisdirectedMs: 4,
  unauthorizedMs: 4,
  credentialsLookMs: 4,
};
const TAKEN: Answer = { kind: 'acknowledged', response: Buffer.alloc(0) };

let folder: string;
let outgoing: Outgoing;
/** Traces that were acknowledged, each as often as it was. */
let taken: string[];
let calls: number;
let answerTo: (traces: readonly string[], call: number) => Answer | Promise<Answer>;
/** All that was sent, as text. */
let sent: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-'));
  outgoing = await openOutgoing(folder);
  [taken, sent, calls, answerTo] = [[], [], 0, () => TAKEN];
});
afterEach(async () => {
  await outgoing.end();
  rmSync(folder, { recursive: true });
});

const transport: Omit<Transport, 'close'> = {
  haveCredentialsChanged: () => false,
  problem: () => undefined,
  send: async (_signal, request) => {
    const lines = spanLines(decodeRequest(request));
    const traces = lines.filter(({ kind }) => kind === 'SERVER').map(({ traceId }) => traceId);
    sent.push(JSON.stringify(lines));
    const answer = await answerTo(traces, calls++);
    if (answer.kind === 'acknowledged') taken.push(...traces);
    return answer;
  },
};

function deliver(changes: Parameters<Outgoing['deliver']>[1] = {}): Delivery {
  const delivery = outgoing.deliver(transport, { pauses: PAUSES, ...changes });
  delivery.wake();
  return delivery;
}

const answering = (bad: ReadonlySet<string>, answer: Answer) => (traces: readonly string[]) =>
  traces.some((trace) => bad.has(trace)) ? answer : TAKEN;

const lastSequence = async () => (await outgoing.store.counts()).lastSequence;

describe.each([['retry'], ['unclear'], ['unauthorized'], ['misdirected']] as const)(
  'a row to which a destination answers %s',
  (kind) => {
    const failure: Answer = { kind, problem: 'as told' };

    test('is set aside while others are taken, and stops none of them', async () => {
      const [bad = '', ...good] = await outgoing.record(60);
      answerTo = answering(new Set([bad]), failure);
      const delivery = deliver({ pageRows: 10 });
      await until('the row to be set aside', async () => {
        good.push(...(await outgoing.record(1)));
        delivery.wake();
        return delivery.state().leftOut['refused'] !== undefined;
      });
      await until('the cursor', async () => delivery.state().cursor === (await lastSequence()));
      expect(taken.toSorted()).toEqual(good.toSorted());
      const note = await outgoing.store.note(refusedNote('one'));
      expect(openRefusals(note, undefined)).toMatchObject([{ sequence: 1 }]);
    });

    test('lets all others of its page through, though no more come', async () => {
      const [bad = '', ...good] = await outgoing.record(50);
      answerTo = answering(new Set([bad]), failure);
      const delivery = deliver();
      await until('the others', () => taken.length === good.length);
      expect(taken.toSorted()).toEqual(good.toSorted());
      expect(delivery.state()).toMatchObject({ cursor: 0, leftOut: {} });
    });

    test('is kept as long as nothing is taken, with all others', async () => {
      const traces = await outgoing.record(8);
      answerTo = () => failure;
      const delivery = deliver({ pageRows: 2 });
      await until('many failures', () => calls > 150);
      expect(delivery.state()).toMatchObject({ cursor: 0, leftOut: {} });
      answerTo = () => TAKEN;
      await until('the cursor', () => delivery.state().cursor === 8);
      expect(taken.toSorted()).toEqual(traces.toSorted());
      expect(delivery.state().leftOut).toEqual({});
    });
  },
);

test('a destination that asks for time again and again, and takes others between, is no fault of a row', async () => {
  const [one = ''] = await outgoing.record(1);
  let asked = 0;
  answerTo = (traces) => {
    if (!traces.includes(one) || asked++ > 30) return TAKEN;
    return { kind: 'retry', problem: 'busy', afterMs: 1 };
  };
  const delivery = deliver();
  await until('it to be taken', async () => {
    await outgoing.record(1);
    delivery.wake();
    return taken.includes(one);
  });
  expect(delivery.state().leftOut).toEqual({});
});

describe('what is acknowledged ahead of a page that fails', () => {
  test('is not sent again by the next runs, and goes with the cursor', async () => {
    const [bad = '', ...good] = await outgoing.record(100);
    answerTo = answering(new Set([bad]), { kind: 'retry', problem: 'reset' });
    for (let run = 0; run < 3; run++) {
      const before = calls;
      const delivery = deliver({ pageRows: 10 });
      await until('some tries', () => calls > before + 5);
      await delivery.finish(1000);
    }
    answerTo = () => TAKEN;
    const delivery = deliver({ pageRows: 10 });
    await until('the cursor', () => delivery.state().cursor === 100);
    expect(taken.toSorted()).toEqual([bad, ...good].toSorted());
    const [last = ''] = await outgoing.record(1);
    delivery.wake();
    await until('the cursor', () => delivery.state().cursor === 101);
    expect(taken.at(-1)).toBe(last);
    expect(await outgoing.store.note(aheadNote('one'))).toBe('[]');
  });

  test('is kept at once: a kill forgets nothing of it, and nothing is counted twice', async () => {
    const [bad = ''] = await outgoing.record(100);
    answerTo = answering(new Set([bad]), { kind: 'retry', problem: 'reset' });
    const volume = createVolume(undefined);
    deliver({ pageRows: 10, volume });
    await until('the note', async () => {
      return (await outgoing.store.note(aheadNote('one')))?.endsWith(',100]]') === true;
    });
    const kept = createVolume(await outgoing.store.note(volumeNote('one')));
    expect(kept.day(Date.now()).sent).toBe(volume.day(Date.now()).sent);
    expect(kept.day(Date.now()).sent).toBeGreaterThanOrEqual(90);
  });

  test('of one that is only slow is kept by an orderly stop', async () => {
    const [slow = '', ...others] = await outgoing.record(40);
    answerTo = (traces) => (traces.includes(slow) ? new Promise<never>(() => {}) : TAKEN);
    const first = deliver({ pageRows: 10 });
    await until('the others', () => taken.length === 30);
    await first.finish(20);
    answerTo = () => TAKEN;
    const second = deliver({ pageRows: 10 });
    await until('the cursor', () => second.state().cursor === 40);
    expect(taken.toSorted()).toEqual([slow, ...others].toSorted());
  });

  test('is not written down while all is well', async () => {
    const notes: string[] = [];
    const { store } = outgoing;
    const moveCursor: typeof store.moveCursor = (name, sequence, more = {}) => {
      notes.push(...Object.keys(more));
      return store.moveCursor(name, sequence, more);
    };
    await outgoing.record(200);
    const delivery = deliver({ pageRows: 10, outbox: { ...store, moveCursor } });
    await until('the cursor', () => delivery.state().cursor === 200);
    expect(notes.filter((name) => name.startsWith('ahead:'))).toEqual([]);
  });
});

describe('with a budget', () => {
  async function deliverBudgeted(): Promise<Delivery> {
    const volume = createVolume(await outgoing.store.note(volumeNote('one')));
    return deliver({
      volume,
      source: (after, wasSent) =>
        createBudgetedSource({
          outbox: outgoing.store,
          after,
          budget: { spansPerSecond: 100_000, spansPerDay: 4000 },
          volume,
          worthOf: (row) => worthOf(row, SLOW_US),
          spansIn: createSpanCount(SLOW_US),
          wasSent,
          nowMs: Date.now,
        }),
    });
  }

  // The budget of the day has room for them once.
  test('a second of which half was taken before an orderly stop is taken and counted once', async () => {
    const rows = 6 * PAGE_ROWS;
    const startedAtUs = STARTED_AT_US;
    const traces = await outgoing.record(rows, { startedAtUs });
    answerTo = (_traces, call) => (call < 3 ? TAKEN : { kind: 'retry', problem: 'away' });
    const first = await deliverBudgeted();
    await until('the failure', () => first.state().status === 'retrying');
    await first.finish(1000);
    expect(taken.length).toBeGreaterThan(0);
    expect(taken.length).toBeLessThan(rows);
    answerTo = () => TAKEN;
    const second = await deliverBudgeted();
    await until('the cursor', () => second.state().cursor === rows);
    expect(taken.toSorted()).toEqual(traces.toSorted());
    const volume = createVolume(await outgoing.store.note(volumeNote('one')));
    expect(volume.day(Date.now()).sent).toBe(first.state().sent + second.state().sent);
  });

  test('rows that wait for their turn are not those of a person who was forgotten', async () => {
    for (let second = 0; second < 20; second++) {
      await outgoing.record(1, { startedAtUs: STARTED_AT_US + second * 1_000_000 });
    }
    answerTo = () => ({ kind: 'retry', problem: 'away' });
    const delivery = await deliverBudgeted();
    await until('some failures', () => calls > 6);
    await outgoing.forget('alice');
    sent = [];
    answerTo = () => TAKEN;
    await until('the rows', () => taken.length === 20);
    expect(delivery.state().status).toBe('delivering');
    expect(sent.join()).not.toMatch(/alice|orders\/17|192\.0\.2/);
  });
});

test('halves that wait behind slow refusals are not those of a person who was forgotten', async () => {
  await outgoing.record(40);
  let isForgotten = false;
  answerTo = async (_traces, call) => {
    if (call === 3) {
      await outgoing.forget('alice');
      isForgotten = true;
      sent = [];
    }
    return { kind: 'refused', problem: 'answered 400: not alice' };
  };
  deliver({ pageRows: 40 });
  await until('some more', () => isForgotten && sent.length > 5);
  expect(sent.join()).not.toContain('alice');
});

test('a destination that refuses everything keeps nearly all rows for later', async () => {
  await outgoing.record(500);
  answerTo = () => ({ kind: 'refused', problem: 'answered INVALID_ARGUMENT: not "alice"' });
  const pauses = { ...PAUSES, firstBackoffMs: 60_000, longestBackoffMs: 60_000 };
  const delivery = deliver({ pauses, pageRows: 100 });
  await until('the state', () => delivery.state().status === 'refusing');
  expect(delivery.state().leftOut['refused']).toBeLessThan(2 * 3 * MANY_REFUSED);
  await delivery.finish(0);
  const note = (await outgoing.store.note(refusedNote('one'))) ?? '';
  expect(note).not.toContain('alice');
  expect(openRefusals(note, undefined)[0]?.reason).toBe('INVALID_ARGUMENT');
});

describe('history that is sent again', () => {
  async function* batches() {
    yield await outgoing.store.rowsAfter(0, PAGE_ROWS);
  }
  const send = (signal?: AbortSignal) =>
    replay({
      batches: batches(),
      transport,
      feed: createSpanFeed(RESOURCE, '1', createSpansOf(SLOW_US)),
      renew: createRenew(outgoing.store),
      pauses: PAUSES,
      ...(signal && { signal }),
    });

  test('has nothing of a person who was forgotten while it waited', async () => {
    await outgoing.record(10);
    answerTo = async (_traces, call) => {
      if (call > 0) return TAKEN;
      await outgoing.forget('alice');
      sent = [];
      return { kind: 'retry', problem: 'away' };
    };
    expect(await send()).toMatchObject({ sent: 10 });
    expect(sent.join()).not.toContain('alice');
  });

  test('ends between two requests when it is interrupted', async () => {
    await outgoing.record(50);
    const interrupted = new AbortController();
    answerTo = (_traces, call) => {
      if (call === 4) interrupted.abort();
      return { kind: 'refused', problem: 'answered 400' };
    };
    expect(await send(interrupted.signal)).toHaveProperty('leftFromUs');
    expect(calls).toBe(5);
  });

  test('leaves out a row that fails again and again after others were taken', async () => {
    const [bad = ''] = await outgoing.record(20);
    answerTo = answering(new Set([bad]), { kind: 'unclear', problem: 'answered 500' });
    expect(await send()).toMatchObject({ sent: 19, refused: 1 });
  });
});

test.each([
  ['unclear', { kind: 'unclear', problem: 'answered 500' }],
  ['retry', { kind: 'retry', problem: 'answered 503' }],
  ['unauthorized', { kind: 'unauthorized', problem: 'answered 403' }],
] as const)(
  'as many bad rows as may be on their way at once (%s) stop none behind them',
  async (_what, answer) => {
    const bad = new Set<string>();
    for (let at = 0; at < 6; at++) {
      await outgoing.record(9);
      for (const trace of await outgoing.record(1)) bad.add(trace);
    }
    await outgoing.record(200);
    answerTo = answering(bad, answer);
    const delivery = deliver({ pageRows: 10 });
    await until('all good rows', () => taken.length === 254, 20_000);
    // Whatever comes next shows that it is they who are at fault.
    const isPassed = async () => {
      await outgoing.record(1);
      delivery.wake();
      return delivery.state().cursor >= 260;
    };
    await until('the bad ones set aside', isPassed, 20_000);
    expect(new Set(taken).size).toBe(taken.length);
    expect(delivery.state().leftOut['refused']).toBeGreaterThanOrEqual(6);
  },
);

test('what is too much at once for a destination that only says that it is busy goes in pieces', async () => {
  await outgoing.record(40);
  const busy: Answer = { kind: 'retry', problem: 'answered 429', afterMs: 0 };
  answerTo = (traces) => (traces.length > 10 ? busy : TAKEN);
  const delivery = deliver();
  await until('all', () => delivery.state().cursor === 40, 10_000);
  expect(taken).toHaveLength(40);
});

test('what is acknowledged at the end is kept, though the store is away for a moment', async () => {
  await outgoing.record(3);
  const gate = Promise.withResolvers<void>();
  answerTo = async () => {
    await gate.promise;
    return TAKEN;
  };
  let faults = 1;
  const { store } = outgoing;
  const outbox = {
    ...store,
    moveCursor: (...move: Parameters<typeof store.moveCursor>) =>
      move[1] > 0 && faults-- > 0 ? Promise.reject(new Error('locked')) : store.moveCursor(...move),
  };
  const delivery = deliver({ outbox, pageRows: 1 });
  await until('three on their way', () => calls === 3);
  const finished = delivery.finish(5000);
  gate.resolve();
  await finished;
  expect(await store.cursor('one')).toBe(3);
});
