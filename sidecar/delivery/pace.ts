// When a destination may be sent to: at once while all is well; after a failure one request at a time,
// and only after a pause. It is of the destination as a whole: what one request suffers, others would.
import { createBell } from './bell.ts';
import type { Answer, Transport } from '../otlp/transport.ts';

/** How a destination takes what it is sent. */
export type Status = 'delivering' | 'retrying' | 'unauthorized' | 'misdirected';

/** How long is waited for what, in milliseconds. */
export type Pauses = {
  /** After a page that held all there was, for the next: a call costs as much as 50 rows do. */
  readonly gatherMs: number;
  /** After failures that may pass: between half and all of it, twice as long each time, up to the longest. */
  readonly firstBackoffMs: number;
  readonly longestBackoffMs: number;
  /** The same where nothing takes this signal: somebody has to mend that. */
  readonly longestMisdirectedMs: number;
  /** After refused credentials, unless they change; and how often that is looked at. */
  readonly unauthorizedMs: number;
  readonly credentialsLookMs: number;
  /** What a destination may ask for at most. */
  readonly longestAskedMs: number;
};

export const PAUSES: Pauses = {
  gatherMs: 200,
  firstBackoffMs: 500,
  longestBackoffMs: 30_000,
  longestMisdirectedMs: 60_000,
  unauthorizedMs: 60_000,
  credentialsLookMs: 1000,
  longestAskedMs: 600_000,
};

export type PaceOptions = {
  readonly transport: Pick<Transport, 'haveCredentialsChanged'>;
  readonly pauses: Pauses;
  /** A clock that never goes back. */
  readonly nowMs: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
};

/** The right to send one request. */
export type Turn = {
  /** Others may have changed what was read before. */
  readonly hasWaited: boolean;
  /** What became of the request; nothing where there was none to be sent. */
  end(answer?: Answer): void;
};

export type Pace = {
  /** Resolves when a request may be sent; to undefined when none may be sent any more. */
  enter(): Promise<Turn | undefined>;
  /** Requests that are under way. */
  underWay(): number;
  status(): Status;
  /** What the last failure was, until a request is taken. */
  problem(): string | undefined;
  /** From now on a failure closes it; one more try is made at once, unless the destination asked for time. */
  finish(): void;
  close(): void;
  isClosed(): boolean;
};

/** Returns the pace of one destination. */
export function createPace({ transport, pauses, nowMs, random }: PaceOptions): Pace {
  const bell = createBell();
  let status: Status = 'delivering';
  let problem: string | undefined;
  /** In a row, and since the start. */
  let failures = 0;
  let failuresEver = 0;
  let notBeforeMs = 0;
  let isAskedFor = false;
  let underWay = 0;
  let isFinishing = false;
  let isClosed = false;

  async function enter(): Promise<Turn | undefined> {
    for (let hasWaited = false; !isClosed; hasWaited = true) {
      if (isFree()) return begin(hasWaited);
      await bell.rungWithin(waitMs());
    }
    return undefined;
  }

  function isFree(): boolean {
    if (status === 'delivering') return true;
    return underWay === 0 && (nowMs() >= notBeforeMs || areCredentialsOthers());
  }

  function areCredentialsOthers(): boolean {
    return status === 'unauthorized' && transport.haveCredentialsChanged();
  }

  function waitMs(): number {
    if (underWay > 0) return Infinity;
    const leftMs = Math.max(1, notBeforeMs - nowMs());
    return status === 'unauthorized' ? Math.min(leftMs, pauses.credentialsLookMs) : leftMs;
  }

  function begin(hasWaited: boolean): Turn {
    const failuresBefore = failuresEver;
    underWay += 1;
    return {
      hasWaited,
      end: (answer) => {
        underWay -= 1;
        if (answer !== undefined) judge(answer, failuresBefore === failuresEver);
        bell.ring();
      },
    };
  }

  // Several may fail together: that is one failure. What was sent before it shows nothing that is new,
  // but for a destination that asks for time.
  function judge(answer: Answer, isNews: boolean): void {
    const askedMs = askedOf(answer);
    if (askedMs > 0) notBeforeMs = Math.max(notBeforeMs, nowMs() + askedMs);
    if (!isNews && (askedMs === 0 || status !== 'delivering')) return;
    if (answer.kind === 'acknowledged' || answer.kind === 'refused') return recover();
    failures += 1;
    failuresEver += 1;
    status = statusOf(answer);
    problem = answer.problem;
    isAskedFor = askedMs > 0;
    notBeforeMs = Math.max(notBeforeMs, nowMs() + pauseMs());
    if (isFinishing) close();
  }

  function askedOf(answer: Answer): number {
    const afterMs = answer.kind === 'retry' ? (answer.afterMs ?? 0) : 0;
    return Math.min(afterMs, pauses.longestAskedMs);
  }

  function recover(): void {
    status = 'delivering';
    problem = undefined;
    failures = 0;
    notBeforeMs = 0;
    isAskedFor = false;
  }

  function pauseMs(): number {
    if (status === 'unauthorized') return pauses.unauthorizedMs;
    const longestMs =
      status === 'misdirected' ? pauses.longestMisdirectedMs : pauses.longestBackoffMs;
    const wholeMs = Math.min(pauses.firstBackoffMs * 2 ** (failures - 1), longestMs);
    return (wholeMs * (1 + random())) / 2;
  }

  function finish(): void {
    isFinishing = true;
    if (isAskedFor && nowMs() < notBeforeMs) isClosed = true;
    notBeforeMs = 0;
    bell.ring();
  }

  function close(): void {
    isClosed = true;
    bell.ring();
  }

  return {
    enter,
    underWay: () => underWay,
    status: () => status,
    problem: () => problem,
    finish,
    close,
    isClosed: () => isClosed,
  };
}

function statusOf({ kind }: Answer): Status {
  return kind === 'unauthorized' || kind === 'misdirected' ? kind : 'retrying';
}
