// Whatever a destination answers, in whatever order, whatever the store does, and wherever the process is
// killed: each row is acknowledged or set aside before the cursor passes it, and in one run none is
// acknowledged twice.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { spanLines } from '../../deploy/local/span-line.ts';
import type { Delivery } from '../../sidecar/delivery/deliver.ts';
import type { Outbox } from '../../sidecar/delivery/outbox.ts';
import { openRefusals, refusedNote } from '../../sidecar/delivery/refusals.ts';
import type { Answer, Transport } from '../../sidecar/otlp/transport.ts';
import { openOutgoing, type Outgoing } from '../fixtures/deliveries.ts';
import { decodeRequest } from '../fixtures/trace-service.ts';
import { until } from '../fixtures/until.ts';

const PAUSES = {
  gatherMs: 1,
  firstBackoffMs: 1,
  longestBackoffMs: 2,
  longestMisdirectedMs: 2,
  unauthorizedMs: 3,
  credentialsLookMs: 1,
  longestAskedMs: 3,
};

const FAILURES = ['retry', 'asked', 'unclear', 'unauthorized', 'misdirected', 'refused'] as const;
type Act = 'acknowledged' | (typeof FAILURES)[number];

/** What happens, call by call; after that all is well, but for rows that are never taken. */
type Script = {
  readonly rows: number;
  readonly pageRows: number;
  readonly acts: readonly Act[];
  /** How many turns of the event loop each answer takes. */
  readonly delays: readonly number[];
  /** After so many calls the process is killed. */
  readonly kills: readonly number[];
  /** Whether the store fails at its next operations. */
  readonly faults: readonly boolean[];
  /** Rows that are refused, or break the destination. */
  readonly bad: ReadonlyMap<number, 'refused' | 'unclear'>;
};

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.constant('acknowledged' as const),
  fc.constantFrom(...FAILURES),
);
const script: fc.Arbitrary<Script> = fc.record({
  rows: fc.integer({ min: 1, max: 60 }),
  pageRows: fc.integer({ min: 1, max: 10 }),
  acts: fc.array(act, { maxLength: 40 }),
  delays: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 10 }),
  kills: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 3 }),
  faults: fc.array(fc.boolean(), { maxLength: 30 }),
  bad: fc
    .array(
      fc.tuple(fc.integer({ min: 0, max: 59 }), fc.constantFrom('refused' as const, 'unclear')),
      { maxLength: 3 },
    )
    .map((pairs) => new Map(pairs)),
});

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'signet-'))));
afterAll(() => rmSync(folder, { recursive: true }));

test('no row is passed that is neither acknowledged nor set aside, and none acknowledged twice in a run', async () => {
  await fc.assert(fc.asyncProperty(script, play), { numRuns: 60 });
}, 120_000);

async function play(told: Script): Promise<void> {
  const outgoing = await openOutgoing(folder);
  try {
    const world = createWorld(told, await outgoing.record(told.rows));
    for (const kill of [...told.kills.toSorted((a, b) => a - b), Infinity]) {
      await runUntil(kill, told, outgoing, world);
    }
    expect(world.mistakes).toEqual([]);
    const setAside = await sequencesSetAside(outgoing);
    const left = world.traces.filter(
      (trace, index) => !world.acknowledged.has(trace) && !setAside.has(index + 1),
    );
    expect(left).toEqual([]);
  } finally {
    await outgoing.end();
  }
}

type World = ReturnType<typeof createWorld>;

function createWorld({ acts, delays, bad, faults }: Script, traces: readonly string[]) {
  const acknowledged = new Set<string>();
  const mistakes: string[] = [];
  const badTraces = new Map([...bad].map(([index, how]) => [traces[index] ?? '', how]));
  let calls = 0;
  let operations = 0;

  function answerTo(some: readonly string[], call: number): Answer {
    const badness = some.map((trace) => badTraces.get(trace)).find((how) => how !== undefined);
    const kind = acts[call] ?? 'acknowledged';
    if (kind === 'acknowledged' && badness !== undefined) return { kind: badness, problem: 'bad' };
    if (kind === 'acknowledged') return { kind, response: Buffer.alloc(0) };
    return kind === 'asked'
      ? { kind: 'retry', problem: kind, afterMs: 2 }
      : { kind, problem: kind };
  }

  /** The transport of one run. */
  function transport(): Omit<Transport, 'close'> {
    const ofThisRun = new Set<string>();
    return {
      haveCredentialsChanged: () => calls % 2 === 0,
      problem: () => undefined,
      send: async (_signal, request) => {
        const call = calls++;
        const lines = spanLines(decodeRequest(request));
        const some = lines.filter(({ kind }) => kind === 'SERVER').map(({ traceId }) => traceId);
        for (let left = delays[call % delays.length] ?? 0; left > 0; left--) await setImmediate();
        const answer = answerTo(some, call);
        if (answer.kind !== 'acknowledged') return answer;
        for (const trace of some) {
          if (ofThisRun.has(trace)) mistakes.push(`twice: ${trace}`);
          ofThisRun.add(trace);
          acknowledged.add(trace);
        }
        return answer;
      },
    };
  }

  async function mayFail(): Promise<void> {
    if (faults[operations++] === true) throw new Error('the store is away');
  }

  return { traces, acknowledged, mistakes, calls: () => calls, transport, mayFail };
}

async function runUntil(kill: number, told: Script, outgoing: Outgoing, world: World) {
  const outbox = checkedOutbox(outgoing, world);
  const { pageRows, rows } = told;
  const options = { outbox, pageRows, pauses: PAUSES };
  const delivery: Delivery = outgoing.deliver(world.transport(), options);
  delivery.wake();
  const isOver = () => delivery.state().cursor === rows || world.calls() >= kill;
  await until('the end of a run', isOver, 5000);
  await delivery.finish(0);
}

/** A store that fails by the script, and looks at each move of the cursor. */
function checkedOutbox({ store }: Outgoing, { traces, acknowledged, mistakes, mayFail }: World) {
  const outbox: Outbox = {
    cursor: (name) => store.cursor(name),
    note: (name) => store.note(name),
    rowsAfter: async (...asked) => {
      await mayFail();
      return store.rowsAfter(...asked);
    },
    moveCursor: async (name, sequence, notes = {}) => {
      await mayFail();
      const kept = notes[refusedNote(name)] ?? (await store.note(refusedNote(name)));
      const refused = new Set(openRefusals(kept, undefined).map((refusal) => refusal.sequence));
      traces.slice(0, sequence).forEach((trace, index) => {
        if (acknowledged.has(trace) || refused.has(index + 1)) return;
        mistakes.push(`the cursor is at ${sequence}, past ${index + 1}`);
      });
      await store.moveCursor(name, sequence, notes);
    },
  };
  return outbox;
}

async function sequencesSetAside({ store }: Outgoing): Promise<ReadonlySet<number>> {
  const refusals = openRefusals(await store.note(refusedNote('one')), undefined);
  return new Set(refusals.map(({ sequence }) => sequence));
}
