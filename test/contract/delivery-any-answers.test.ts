// Whatever a destination answers, in whatever order, to whatever row, whatever the store does, and wherever
// the process is killed or stopped: each row is acknowledged or set aside before the cursor passes it; in one
// run, and across orderly stops, none is acknowledged twice; and of a person who was forgotten nothing leaves.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { spanLines, type SpanLine } from '../../deploy/local/span-line.ts';
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

/** What a row draws that is never taken. `unauthorized` is what a firewall answers, for instance. */
const BADNESSES = ['refused', 'unclear', 'retry', 'unauthorized', 'misdirected'] as const;

/** What happens, call by call; after that all is well, but for rows that are never taken. */
type Script = {
  readonly rows: number;
  readonly pageRows: number;
  readonly acts: readonly Act[];
  /** How many turns of the event loop each answer takes. */
  readonly delays: readonly number[];
  /** After so many calls the process is killed, or stopped in order. */
  readonly ends: readonly { readonly calls: number; readonly how: 'killed' | 'stopped' }[];
  /** After so many calls the person is forgotten whose rows they all are. */
  readonly forgetAfter: number;
  /** Whether the store fails at its next operations. */
  readonly faults: readonly boolean[];
  readonly bad: ReadonlyMap<number, (typeof BADNESSES)[number]>;
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
  ends: fc.array(
    fc.record({
      calls: fc.integer({ min: 1, max: 60 }),
      how: fc.constantFrom('killed' as const, 'stopped'),
    }),
    { maxLength: 4 },
  ),
  forgetAfter: fc.integer({ min: 0, max: 60 }),
  faults: fc.array(fc.boolean(), { maxLength: 30 }),
  bad: fc
    .array(fc.tuple(fc.integer({ min: 0, max: 59 }), fc.constantFrom(...BADNESSES)), {
      maxLength: 3,
    })
    .map((pairs) => new Map(pairs)),
});

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'signet-'))));
afterAll(() => rmSync(folder, { recursive: true }));

test('no row is passed that is neither acknowledged nor set aside, none acknowledged twice, and nobody forgotten sent', async () => {
  await fc.assert(fc.asyncProperty(script, play), { numRuns: 60 });
});

async function play(told: Script): Promise<void> {
  const outgoing = await openOutgoing(folder);
  try {
    const world = createWorld(told, await outgoing.record(told.rows));
    for (const end of told.ends.toSorted((a, b) => a.calls - b.calls)) {
      await runUntil(end, told, outgoing, world);
    }
    await runUntil({ calls: Infinity, how: 'stopped' }, told, outgoing, world);
    expect(world.mistakes).toEqual([]);
    const setAside = await sequencesSetAside(outgoing);
    const left = [...world.traces].filter(
      ([sequence, trace]) => !world.acknowledged.has(trace) && !setAside.has(sequence),
    );
    expect(left).toEqual([]);
  } finally {
    await outgoing.end();
  }
}

type World = ReturnType<typeof createWorld>;

type Run = { isDead: boolean; readonly taken: Set<string> };

function createWorld({ acts, delays, bad, faults }: Script, first: readonly string[]) {
  /** By their sequences. */
  const traces = new Map(first.map((trace, index) => [index + 1, trace]));
  const acknowledged = new Set<string>();
  /** Acknowledged in a run that was stopped in order. */
  const kept = new Set<string>();
  const forgotten = new Set<string>();
  const mistakes: string[] = [];
  const badTraces = new Map([...bad].map(([index, how]) => [first[index] ?? '', how]));
  let calls = 0;
  let operations = 0;
  let isStopping = false;

  function answerTo(some: readonly string[], call: number): Answer {
    const badness = some.map((trace) => badTraces.get(trace)).find((how) => how !== undefined);
    const kind = acts[call] ?? 'acknowledged';
    if (kind === 'acknowledged' && badness !== undefined) return { kind: badness, problem: 'bad' };
    if (kind === 'acknowledged') return { kind, response: Buffer.alloc(0) };
    return kind === 'asked'
      ? { kind: 'retry', problem: kind, afterMs: 2 }
      : { kind, problem: kind };
  }

  function look(lines: readonly SpanLine[]): void {
    for (const line of lines) {
      if (!forgotten.has(line.traceId) || !JSON.stringify(line).includes('alice')) continue;
      mistakes.push(`of a person who was forgotten: ${line.traceId}`);
    }
  }

  /** The transport of one run. */
  function transport(run: Run): Omit<Transport, 'close'> {
    return {
      haveCredentialsChanged: () => calls % 2 === 0,
      problem: () => undefined,
      send: async (_signal, request) => {
        const call = calls++;
        const lines = spanLines(decodeRequest(request));
        look(lines);
        const some = lines.filter(({ kind }) => kind === 'SERVER').map(({ traceId }) => traceId);
        for (let left = delays[call % delays.length] ?? 0; left > 0; left--) await setImmediate();
        const answer = run.isDead
          ? { kind: 'retry' as const, problem: 'dead' }
          : answerTo(some, call);
        if (answer.kind !== 'acknowledged') return answer;
        for (const trace of some) {
          if (run.taken.has(trace) || kept.has(trace)) mistakes.push(`twice: ${trace}`);
          run.taken.add(trace);
          acknowledged.add(trace);
        }
        return answer;
      },
    };
  }

  async function mayFail(): Promise<void> {
    if (!isStopping && faults[operations++] === true) throw new Error('the store is away');
  }

  return {
    traces,
    acknowledged,
    forgotten,
    mistakes,
    calls: () => calls,
    transport,
    mayFail,
    /** What is acknowledged by the end of this is known to the next run. */
    stop: async ({ taken }: Run, finish: () => Promise<void>) => {
      isStopping = true;
      await finish();
      isStopping = false;
      for (const trace of taken) kept.add(trace);
    },
  };
}

async function runUntil(
  end: Script['ends'][number],
  told: Script,
  outgoing: Outgoing,
  world: World,
): Promise<void> {
  const run: Run = { isDead: false, taken: new Set() };
  const outbox = checkedOutbox(outgoing, world, run);
  const options = { outbox, pageRows: told.pageRows, pauses: PAUSES };
  const delivery: Delivery = outgoing.deliver(world.transport(run), options);
  delivery.wake();
  await until('the end of a run', async () => {
    if (world.calls() >= end.calls) return true;
    if (await isForgettingDue(told, outgoing, world)) return false;
    if (delivery.state().cursor === (await outgoing.store.counts()).lastSequence) return true;
    // Others come: without them nobody could say whether a row is at fault or the destination.
    await recordOne(outgoing, world);
    delivery.wake();
    return false;
  });
  run.isDead = end.how === 'killed';
  if (run.isDead) await delivery.finish(0);
  else await world.stop(run, () => delivery.finish(5000));
}

async function isForgettingDue(told: Script, outgoing: Outgoing, world: World): Promise<boolean> {
  if (world.forgotten.size > 0 || world.calls() < told.forgetAfter) return false;
  const all = [...world.traces.values()];
  await outgoing.forget('alice');
  await setImmediate(); // what is in the same turn had begun before
  for (const trace of all) world.forgotten.add(trace);
  return true;
}

async function recordOne(outgoing: Outgoing, { traces }: World): Promise<void> {
  const [trace = ''] = await outgoing.record(1);
  traces.set((await outgoing.store.counts()).lastSequence, trace);
}

/** A store that fails by the script, and looks at each move of the cursor. */
function checkedOutbox({ store }: Outgoing, world: World, run: Run) {
  const { traces, acknowledged, mistakes, mayFail } = world;
  const outbox: Outbox = {
    cursor: (name) => store.cursor(name),
    note: (name) => store.note(name),
    mark: () => store.mark(),
    rowsAfter: async (...asked) => {
      await mayFail();
      return store.rowsAfter(...asked);
    },
    moveCursor: async (name, sequence, notes = {}) => {
      await mayFail();
      if (run.isDead) throw new Error('it is dead');
      const kept = notes[refusedNote(name)] ?? (await store.note(refusedNote(name)));
      const refused = new Set(openRefusals(kept, undefined).map((refusal) => refusal.sequence));
      for (const [at, trace] of traces) {
        if (at > sequence || acknowledged.has(trace) || refused.has(at)) continue;
        mistakes.push(`the cursor is at ${sequence}, past ${at}`);
      }
      await store.moveCursor(name, sequence, notes);
    },
  };
  return outbox;
}

async function sequencesSetAside({ store }: Outgoing): Promise<ReadonlySet<number>> {
  const refusals = openRefusals(await store.note(refusedNote('one')), undefined);
  return new Set(refusals.map(({ sequence }) => sequence));
}
