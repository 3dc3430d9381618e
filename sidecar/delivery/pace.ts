// When a destination may be sent to: at once while all is well; after a failure one request at a time,
// and only after a pause. It is of the destination as a whole: what one request suffers, others would.
import { createBell } from './bell.ts';
import type { Answer, Transport } from '../otlp/transport.ts';

/** How a destination takes what it is sent; `refusing`: it answers, and has long taken nothing. */
export type Status = 'delivering' | 'refusing' | 'retrying' | 'unauthorized' | 'misdirected';

/**
 * Single rows in a row, all of them refused for good, from which on a destination is said to refuse all: what
 * it is sent then is set aside slowly, so that nearly all is still to come when it is mended.
 */
export const MANY_REFUSED = 20;

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
  /** How often is looked at what somebody has sent again of what was refused. */
  readonly refusalsLookMs: number;
};

export const PAUSES: Pauses = {
  gatherMs: 200,
  firstBackoffMs: 500,
  longestBackoffMs: 30_000,
  longestMisdirectedMs: 60_000,
  unauthorizedMs: 60_000,
  credentialsLookMs: 1000,
  longestAskedMs: 600_000,
  refusalsLookMs: 2000,
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
  /** What became of the request; nothing where there was none to be sent. */
  end(answer?: Answer, what?: Sent): void;
};

/** What was sent. */
export type Sent = {
  /** It failed though others are taken: that says little of the destination. */
  readonly isSuspect?: boolean;
  /** One row. */
  readonly isSingle?: boolean;
};

export type Pace = {
  /**
   * Resolves when a request may be sent; to undefined when none may be sent any more. What has not failed
   * goes first, then what failed longest ago: so the others show whether the destination is well.
   */
  enter(failedAt?: number): Promise<Turn | undefined>;
  /** Returns a number for now, larger than all before. */
  instant(): number;
  /** Whether a request that was sent after that instant was acknowledged; of 0 it isn't known. */
  isTakenSince(instant: number): boolean;
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
  let refusedInRow = 0;
  let notBeforeMs = 0;
  let isAskedFor = false;
  let underWay = 0;
  const waiting = new Set<{ readonly failedAt: number }>();
  let instants = 0;
  /** When the newest request was sent that was acknowledged. */
  let takenAt = 0;
  let isFinishing = false;
  let isClosed = false;

  async function enter(failedAt = 0): Promise<Turn | undefined> {
    const own = { failedAt };
    waiting.add(own);
    while (!isClosed && !(isFree() && isFirst(own))) await bell.rungWithin(waitMs());
    waiting.delete(own);
    bell.ring();
    return isClosed ? undefined : begin();
  }

  function isFirst(own: { readonly failedAt: number }): boolean {
    return [...waiting].reduce((a, b) => (b.failedAt < a.failedAt ? b : a)) === own;
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

  function begin(): Turn {
    const failuresBefore = failuresEver;
    const begunAt = instant();
    underWay += 1;
    return {
      end: (answer, what = {}) => {
        underWay -= 1;
        if (answer?.kind === 'acknowledged') takenAt = Math.max(takenAt, begunAt);
        if (answer !== undefined) judge(answer, failuresBefore === failuresEver, what);
        bell.ring();
      },
    };
  }

  function instant(): number {
    return (instants += 1);
  }

  // Several may fail together: that is one failure. What was sent before it shows nothing that is new,
  // but for a destination that asks for time.
  function judge(answer: Answer, isNews: boolean, { isSuspect, isSingle }: Sent): void {
    if (answer.kind === 'acknowledged') refusedInRow = 0;
    if (answer.kind === 'refused' && isSingle === true) refusedInRow += 1;
    const askedMs = askedOf(answer);
    if (askedMs > 0) notBeforeMs = Math.max(notBeforeMs, nowMs() + askedMs);
    if (!isNews && (askedMs === 0 || status !== 'delivering')) return;
    const isRefused = answer.kind === 'refused';
    if (answer.kind === 'acknowledged' || (isRefused && refusedInRow < MANY_REFUSED)) {
      return recover();
    }
    failures += 1;
    failuresEver += 1;
    status = isSuspect === true ? 'retrying' : statusOf(answer);
    problem = isRefused ? undefined : answer.problem;
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
    // At once it isn't known yet whether the credentials are refused, or one row that somebody dislikes.
    if (status === 'unauthorized' && failures > 1) return pauses.unauthorizedMs;
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
    instant,
    isTakenSince: (since) => since > 0 && takenAt > since,
    underWay: () => underWay,
    status: () => status,
    problem: () => problem,
    finish,
    close,
    isClosed: () => isClosed,
  };
}

/** Returns whether it answers what it is sent, be it with a refusal. */
export function isWell(status: Status): boolean {
  return status === 'delivering' || status === 'refusing';
}

function statusOf({ kind }: Answer): Status {
  if (kind === 'refused') return 'refusing';
  return kind === 'unauthorized' || kind === 'misdirected' ? kind : 'retrying';
}
