// How a stamp is spelled, without its seal: proves nothing. The gate writes version 2; version 1 is what
// the log of before an update still holds.
//
//   1.<the stamp>
//   2.<the caller, or nothing>.<the decision>
//
// Each part is JSON in base64url. A caller's is made once for a session, and read once. Version 2 leaves
// out the request id: the line has it, and the seal covers it. It is a third shorter (924 → 624 characters
// with a browser's User-Agent), for Caddy to carry and for the log to hold.
import type { RowIdentity } from './audit/row.ts';
import type { Stamp } from './stamp.ts';
import { traceIdOf } from './trace/ids.ts';

/** Callers that a reader remembers; then it begins anew. */
const MAX_REMEMBERED = 1024;

// What every stamp has by place, what few have by name.
type Decided = readonly [
  decision: Stamp['decision'],
  reason: Stamp['reason'],
  route: string,
  requirement: string | null,
  userAgent: string | null,
  sampled: boolean,
  bootId: string,
  number: number,
  startedAtUs: number,
  durationUs: number,
  seldom?: Seldom,
];

type Seldom = Pick<Stamp, 'parentSpanId' | 'link' | 'events'> & {
  /** Of another trace than the one that this request begins. */
  readonly traceId?: string | undefined;
  readonly supersedes?: number | undefined;
};

/** Returns the text of version 2. */
export function spellStamp(stamp: Stamp): string {
  const { decision, reason, route, requirement = null, userAgent = null, sampled } = stamp;
  const { bootId, number, startedAtUs, durationUs } = stamp.gate;
  const told = [decision, reason, route, requirement, userAgent, sampled] as const;
  const when = [bootId, number, startedAtUs, durationUs] as const;
  const decided: Decided = [...told, ...when, ...seldomOf(stamp)];
  return `2.${stamp.identity === undefined ? '' : spellCaller(stamp.identity)}.${encode(decided)}`;
}

/** Returns the stamp that was spelled for this request; undefined when its version is unknown. */
export function readStamp(text: string, requestId: string): Stamp | undefined {
  const [version, first = '', second = ''] = text.split('.', 3);
  if (version === '1') return decode(first) as Stamp;
  return version === '2' ? readSecond(first, second, requestId) : undefined;
}

function readSecond(caller: string, decided: string, requestId: string): Stamp {
  const [decision, reason, route, requirement, userAgent, sampled, ...rest] = decode(
    decided,
  ) as Decided;
  const [bootId, number, startedAtUs, durationUs, seldom = {}] = rest;
  const { traceId = traceIdOf(requestId), supersedes, parentSpanId, link, events } = seldom;
  return {
    requestId,
    traceId,
    parentSpanId,
    link,
    sampled,
    identity: caller === '' ? undefined : readCaller(caller),
    decision,
    reason,
    route,
    requirement: requirement ?? undefined,
    userAgent: userAgent ?? undefined,
    events,
    gate: {
      bootId,
      number,
      ...(supersedes !== undefined && { supersedes }),
      startedAtUs,
      durationUs,
    },
  };
}

function seldomOf({ requestId, traceId, parentSpanId, link, events, gate }: Stamp): [] | [Seldom] {
  const { supersedes } = gate;
  const other = traceId === traceIdOf(requestId) ? undefined : traceId;
  const isPlain = (other ?? parentSpanId ?? link ?? events ?? supersedes) === undefined;
  return isPlain ? [] : [{ traceId: other, parentSpanId, link, events, supersedes }];
}

// By the object: a session's is the same one for as long as the session stays as it is.
const spelled = new WeakMap<RowIdentity, string>();

function spellCaller(identity: RowIdentity): string {
  const known = spelled.get(identity);
  if (known !== undefined) return known;
  const text = encode(identity);
  spelled.set(identity, text);
  return text;
}

const read = new Map<string, RowIdentity>();

function readCaller(text: string): RowIdentity {
  const known = read.get(text);
  if (known !== undefined) return known;
  const identity = decode(text) as RowIdentity;
  if (read.size === MAX_REMEMBERED) read.clear();
  read.set(text, identity);
  return identity;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(text: string): unknown {
  return JSON.parse(Buffer.from(text, 'base64url').toString());
}
