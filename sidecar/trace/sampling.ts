// Which traces leave as spans: decided once, at the gate, before the app is called. What is recorded
// does not depend on it: every request is a row.
import type { RequestRow, RowIdentity } from '../audit/row.ts';
import { isRefusal } from './refusal.ts';

/** Traces of these requests are kept by a ratio of their own. Of the kinds given, all must fit. */
export type SamplingRule = {
  readonly route?: readonly string[];
  readonly team?: readonly string[];
  readonly type?: readonly RowIdentity['type'][];
  readonly decision?: readonly RequestRow['decision'][];
  /** 0 to 1. */
  readonly ratio: number;
};

export type Sampling = {
  /** 0 to 1, of the requests that no rule fits. */
  readonly ratio: number;
  /** The first that fits is the one. */
  readonly rules: readonly SamplingRule[];
};

/** What is known of a request when its trace is decided about. */
export type Sampleable = {
  readonly decision: RequestRow['decision'];
  readonly reason: RequestRow['reason'];
  readonly route?: string | undefined;
  readonly identity?: Pick<RowIdentity, 'team' | 'type'> | undefined;
};

/** Returns whether a trace is sampled; `callers` is the flag it came with, if it goes on here. */
export type IsSampled = (traceId: string, callers?: boolean) => boolean;

/** Returns what decides about the trace of a request like this. */
export type Sample = (request: Sampleable) => IsSampled;

const MAX_RANDOMNESS = 2 ** 56;
/** Where the right-most 56 bits of a trace id begin, which are random (W3C level 2, section 3.2.2.3). */
const RANDOMNESS_AT = 32 - 14;

const always: IsSampled = () => true;

/**
 * Returns the rule, made once: nothing is calculated for a request. Refusals are always sampled. A
 * trace that goes on here is what its caller says (OpenTelemetry's ParentBased): half of it would be
 * of use to nobody. Others by their ids.
 */
export function createSample({ ratio, rules }: Sampling): Sample {
  const compiled = rules.map((rule) => ({ rule, isSampled: byRatio(rule.ratio) }));
  const otherwise = byRatio(ratio);
  return (request) => {
    if (isRefusal(request)) return always;
    for (const { rule, isSampled } of compiled) if (fits(rule, request)) return isSampled;
    return otherwise;
  };
}

// OpenTelemetry's consistent probability sampling: sampled if R ≥ T, both 56 bits. As 14 hex digits
// they compare as texts do.
function byRatio(ratio: number): IsSampled {
  const kept = Math.round(ratio * MAX_RANDOMNESS);
  if (kept === 0) return (_, callers = false) => callers;
  if (kept === MAX_RANDOMNESS) return (_, callers = true) => callers;
  // A double has 53 bits, too few for the difference.
  const rejected = BigInt(MAX_RANDOMNESS) - BigInt(kept);
  const threshold = rejected.toString(16).padStart(14, '0');
  return (traceId, callers) => callers ?? traceId.slice(RANDOMNESS_AT) >= threshold;
}

function fits(rule: SamplingRule, { route, identity, decision }: Sampleable): boolean {
  return (
    isAmong(rule.route, route) &&
    isAmong(rule.team, identity?.team) &&
    isAmong(rule.type, identity?.type) &&
    isAmong(rule.decision, decision)
  );
}

function isAmong<T>(wanted: readonly T[] | undefined, value: T | undefined): boolean {
  return wanted === undefined || (value !== undefined && wanted.includes(value));
}
