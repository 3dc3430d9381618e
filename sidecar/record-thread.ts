// The main thread's side of the recorder: starts its worker, starts it again when it dies, knows how
// it stands, and stops it in order. No evidence of requests passes through here.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Head } from './audit/head.ts';
import type { EventRow } from './audit/row.ts';
import { endBySignal } from './end.ts';
import { explain, Fault } from './fault.ts';
import type { RecorderOptions } from './recorder-options.ts';
import type { TextFormat } from './metrics/write-text.ts';
import type { FromRecorder, ToRecorder } from './recorder-messages.ts';
import { NOTHING_KNOWN, type RecorderState } from './recorder-state.ts';
import type { Span } from './trace/span.ts';
import { createTroubles, type Trouble } from './troubles.ts';

/**
 * Pause before a recorder that died is started again: doubled each time, up to the longest, which is
 * also how long one must have lived for the next to count as the first.
 */
const RESTART_MS = 1000;
const LONGEST_RESTART_MS = 60_000;
/** How long it may take to stop. What it has not recorded by then, it will after the next start. */
const STOP_MS = 8000;
/** How long it may take to be ended: never, while a call of the system does not return, as on a hung mount. */
const TERMINATE_MS = 500;
/** It speaks at least every two seconds; a silence so long is a problem. */
const SILENCE_MS = 10_000;
/** How long somebody who asks for metrics waits for them. Prometheus gives up after ten seconds. */
const METRICS_MS = 2000;
/** How long it may take to begin by other options: one batch of lines, and what is being delivered. */
const TAKE_MS = 10_000;
/**
 * Of the recorder's heap, what new objects get: nearly all of them die with their batch. V8's own measure
 * keeps 155 MB for 20 that live; so it is 80, for 0.5 µs more a row.
 */
const YOUNG_GENERATION_MB = 48;

/** Most events that wait for the store; it may be away for long. The oldest go. */
const MAX_UNRECORDED = 10_000;

export type RecorderThread = {
  start(): void;
  /** The latest word; undefined until the first. */
  state(): RecorderState | undefined;
  /** Returns the metrics as text; undefined when the recorder doesn't answer. */
  metrics(
    format: TextFormat,
    checks: Readonly<Record<string, boolean>>,
  ): Promise<string | undefined>;
  /**
   * Has it work by other options; resolves when none of those before holds any more. Rejects with a Fault when it doesn't answer:
   * it goes on by those before.
   */
  take(options: RecorderOptions): Promise<void>;
  /** Has it recorded what happened without a request; told again until it is. Lost when the process ends before. */
  addEvent(event: EventRow): void;
  /** Has spans sent that are of no row. They are lost when the recorder isn't there. */
  addSpans(spans: readonly Span[]): void;
  /**
   * Records what the log holds, delivers for some seconds, and ends. Resolves after nine seconds at most; a
   * thread that hangs in a call of the system lives on then, and the process ends by SIGTERM when it exits.
   */
  stop(): Promise<void>;
};

/** Who is told what becomes of the evidence. */
export type RecorderListeners = {
  /** Each trouble once when it begins, and once when it has ended. */
  readonly onTrouble: (trouble: Trouble) => void;
  readonly onHead: (head: Head) => void;
};

/** Returns the recorder, not yet started. */
export function createRecorderThread(
  atStart: RecorderOptions,
  { onTrouble, onHead }: RecorderListeners,
): RecorderThread {
  let options = atStart;
  let state: RecorderState | undefined;
  let heardAtMs = 0;
  let isStopping = false;
  let restart: NodeJS.Timeout | undefined;
  let startedAtMs = 0;
  let deaths = 0;
  let worker: Worker | undefined;
  let ended = Promise.resolve();
  let lastAsked = 0;
  const tell = createTroubles(onTrouble);
  const asked = new Map<number, (text: string | undefined) => void>();
  const unrecorded = new Map<string, EventRow>();
  let takes = 0;
  let hasTaken = (_id?: number) => {};

  function start(): void {
    startedAtMs = performance.now();
    const file = new URL(`./record-worker${extname(import.meta.url)}`, import.meta.url);
    // No environment: OTEL_* variables must not add one destination's credentials to another's.
    const started = new Worker(file, {
      workerData: options,
      env: {},
      name: 'recorder',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    started.on('message', (message: FromRecorder) => {
      heardAtMs = performance.now();
      if (message.kind === 'metrics') return asked.get(message.id)?.(message.text);
      if (message.kind === 'taken') return hasTaken(message.id);
      if (message.kind === 'recorded') {
        return message.requestIds.forEach((id) => unrecorded.delete(id));
      }
      hear(message.state);
    });
    // A worker that ran out of memory says so by `error`; `exit` comes after it, always.
    let why = 'it ended by itself';
    started.on('error', (error) => (why = explain(error)));
    started.on('exit', () => {
      // The next one begins with them.
      hasTaken();
      if (!isStopping) died(why);
    });
    ended = new Promise((resolve) => started.once('exit', () => resolve()));
    worker = started;
    post({ kind: 'events', events: [...unrecorded.values()] });
  }

  function hear(next: RecorderState): void {
    if (next.head !== undefined && next.head.signature !== state?.head?.signature) {
      onHead(next.head);
    }
    state = next;
    tell(next);
  }

  function post(message: ToRecorder): void {
    worker?.postMessage(message);
  }

  function metrics(
    format: TextFormat,
    checks: Readonly<Record<string, boolean>>,
  ): Promise<string | undefined> {
    const id = (lastAsked += 1);
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const late = setTimeout(() => resolve(undefined), METRICS_MS);
    asked.set(id, resolve);
    post({ kind: 'ask-metrics', id, format, checks });
    return promise.finally(() => {
      clearTimeout(late);
      asked.delete(id);
    });
  }

  async function take(next: RecorderOptions): Promise<void> {
    const before = options;
    options = next;
    if (restart !== undefined) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = setTimeout(() => {
      // What held is a third opening: rows of the second one may be there already.
      const reloads = next.opening.reloads + 1;
      options = { ...before, opening: { ...before.opening, reloads } };
      postTake();
      reject(new Fault('ERR_RECORDER', 'the recorder does not answer'));
    }, TAKE_MS);
    const id = postTake();
    // Without an id: it died, and the next one begins with them.
    hasTaken = (taken = id) => (taken === id ? resolve() : undefined);
    await promise.finally(() => {
      clearTimeout(late);
      hasTaken = () => {};
    });
  }

  function postTake(): number {
    takes += 1;
    post({ kind: 'take', id: takes, options });
    return takes;
  }

  function died(why: string): void {
    const isFirst = performance.now() - startedAtMs >= LONGEST_RESTART_MS;
    deaths = isFirst ? 1 : deaths + 1;
    const pauseMs = Math.min(RESTART_MS * 2 ** (deaths - 1), LONGEST_RESTART_MS);
    const problem = `the recorder died and is started again: ${why}`;
    state = { ...NOTHING_KNOWN, ...state, problem };
    tell(state);
    restart = setTimeout(() => {
      restart = undefined;
      start();
    }, pauseMs);
  }

  async function stop(): Promise<void> {
    isStopping = true;
    clearTimeout(restart);
    post({ kind: 'stop' });
    const late = setTimeout(() => void worker?.terminate(), STOP_MS);
    const { promise: givenUp, resolve } = Promise.withResolvers<void>();
    const last = setTimeout(() => {
      endBySignal();
      resolve();
    }, STOP_MS + TERMINATE_MS);
    await Promise.race([ended, givenUp]);
    clearTimeout(late);
    clearTimeout(last);
  }

  function current(): RecorderState | undefined {
    if (state === undefined || performance.now() - heardAtMs < SILENCE_MS) return state;
    return { ...state, problem: 'the recorder has not been heard of for some time' };
  }

  function addEvent(event: EventRow): void {
    const [oldest] = unrecorded.keys();
    if (unrecorded.size >= MAX_UNRECORDED && oldest !== undefined) unrecorded.delete(oldest);
    unrecorded.set(event.requestId, event);
    post({ kind: 'events', events: [event] });
  }

  const addSpans = (spans: readonly Span[]) => post({ kind: 'spans', spans });

  return { start, state: current, metrics, take, addEvent, addSpans, stop };
}
