// Spine 1, before the upstream: evidence → identity → decision → trace → stamp.
// Reads top to bottom as what happens to a request. No disk for a session seen within the last
// second, no telemetry, and no matching of paths or hosts: Caddy has done that.
import type { KeyObject } from 'node:crypto';
import { Fault } from './fault.ts';
import type { Bearer } from './identity/bearer.ts';
import type { Identity } from './identity/identity.ts';
import type { Sessions } from './identity/session.ts';
import type { Journal } from './journal.ts';
import { createNumbers } from './numbers.ts';
import { decide, type Found, type Outcome } from './policy/decide.ts';
import type { EvidenceReason } from './identity/reason.ts';
import type { Reason } from './policy/reason.ts';
import { createRequirements, type Requirement } from './policy/requirement.ts';
import { createPresent } from './present.ts';
import {
  readAsked,
  readEvidence,
  readOrigin,
  type Evidence,
  type RequestHeaders,
} from './request.ts';
import {
  boundedRequirement,
  boundedUserAgent,
  sealStamp,
  type Stamp,
  type StampedEvent,
} from './stamp.ts';
import { isTrusted, traceContext, type TraceContext, type TraceTrust } from './trace/context.ts';

/** What the gate is made of. */
export type GateParts = {
  readonly sessions: Pick<Sessions, 'find'>;
  /** Undefined where no audience is configured: an `Authorization` header is then the app's affair. */
  readonly bearer: Pick<Bearer, 'verify'> | undefined;
  readonly trust: TraceTrust;
  /** Seals the stamps. */
  readonly key: KeyObject;
  /** Names this run of the process, in the stamps. */
  readonly bootId: string;
  /** Where each decision is noted, so that one whose line is lost can be told. */
  readonly journal: Pick<Journal, 'note'>;
  /** Microseconds since the epoch. */
  readonly clock: () => number;
  /** Told once per distinct text that a requirement does not parse, and why. */
  readonly onInvalidRequirement: (route: string, text: string, problem: string) => void;
};

/** The gate's answer, before HTTP. */
export type Verdict = {
  readonly decision: Outcome['decision'];
  readonly reason: Reason;
  readonly requirement: Requirement;
  readonly identity?: Identity;
  readonly requestId: string;
  /** The URI asked for, as the client wrote it; where a sign-in returns to. */
  readonly uri: string;
  readonly isNavigation: boolean;
  /** `Remote-*` for the app; empty when nobody is known. */
  readonly identityHeaders: readonly (readonly [string, string])[];
  readonly trace: TraceContext;
  readonly stamp: string;
};

/** An answer of Signet's own under `/.signet/`, stamped like any other. */
export type OwnOutcome = {
  readonly decision: 'none' | 'deny';
  readonly reason: Reason;
  readonly identity?: Identity;
  readonly events?: readonly StampedEvent[];
};

/** Who the evidence proves, or why nobody. */
export type Proven = Identity | { readonly refused: EvidenceReason };

export type Gate = {
  /**
   * Decides about one subrequest of `forward_auth`, whose raw target is `target`. Undefined when
   * it was not Caddy with our snippet who asked.
   */
  verify(target: string, headers: RequestHeaders): Promise<Verdict | undefined>;
  /** Returns who is calling, by the same evidence as `verify`; rejects with a Fault if it can't ask. */
  identify(headers: RequestHeaders): Promise<Proven>;
  /** Returns the stamp of an answer under `/.signet/`; undefined when it was not Caddy who asked. */
  stampOwn(headers: RequestHeaders, outcome: OwnOutcome): string | undefined;
};

/** Returns the gate. Its only state: the count of its decisions, and what it made once for many. */
export function createGate(parts: GateParts): Gate {
  const requirementOf = createRequirements(parts.onInvalidRequirement);
  const present = createPresent();
  const numbered = createNumbers();

  async function verify(target: string, headers: RequestHeaders): Promise<Verdict | undefined> {
    const startedAtUs = parts.clock();
    const asked = readAsked(target, headers);
    if (asked === undefined) return undefined;

    const found = await find(readEvidence(headers));
    const identity = 'identity' in found ? found.identity : undefined;

    const requirement = requirementOf(asked.route, asked.require);
    const { decision, reason } = decide(requirement, found, asked.isNavigation);

    const presented = present(identity);
    const trusted = isTrusted(parts.trust, identity?.method);
    const trace = traceContext(asked.requestId, headers, trusted, presented.baggage);

    const stamp = seal(asked.requestId, trace, startedAtUs, headers, {
      ...(presented.stamped !== undefined && { identity: presented.stamped }),
      decision,
      reason,
      route: asked.route,
      ...(asked.require !== undefined && { requirement: boundedRequirement(asked.require) }),
    });
    return {
      decision,
      reason,
      requirement,
      ...(identity !== undefined && { identity }),
      requestId: asked.requestId,
      uri: asked.uri,
      isNavigation: asked.isNavigation,
      identityHeaders: presented.headers,
      trace,
      stamp,
    };
  }

  // Fails closed: what could not be asked is a shut door, never an anonymous caller.
  async function find(evidence: Evidence): Promise<Found> {
    try {
      const proven = await prove(evidence);
      return 'refused' in proven ? proven : { identity: proven };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const isProvider = error.code === 'ERR_PROVIDER';
      return { closed: isProvider ? 'provider-unavailable' : 'session-store-unavailable' };
    }
  }

  async function prove(evidence: Evidence): Promise<Proven> {
    if (evidence.bearer !== undefined && parts.bearer !== undefined) {
      return parts.bearer.verify(evidence.bearer);
    }
    if (evidence.session === undefined) return { refused: 'no-credentials' };
    if (evidence.session === 'repeated') return { refused: 'cookie-repeated' };
    return parts.sessions.find(evidence.session);
  }

  function stampOwn(headers: RequestHeaders, outcome: OwnOutcome): string | undefined {
    const startedAtUs = parts.clock();
    const origin = readOrigin(headers);
    if (origin === undefined) return undefined;
    const { stamped } = present(outcome.identity);
    return seal(
      origin.requestId,
      traceContext(origin.requestId, headers, false, ''),
      startedAtUs,
      headers,
      {
        ...(stamped !== undefined && { identity: stamped }),
        decision: outcome.decision,
        reason: outcome.reason,
        route: 'signet',
        ...(outcome.events !== undefined && { events: outcome.events }),
      },
    );
  }

  function seal(
    requestId: string,
    trace: TraceContext,
    startedAtUs: number,
    headers: RequestHeaders,
    decided: Pick<Stamp, 'identity' | 'decision' | 'reason' | 'route' | 'requirement' | 'events'>,
  ): string {
    const userAgent = headers['user-agent'];
    const stamp: Stamp = {
      requestId,
      traceId: trace.traceId,
      ...(trace.parentSpanId !== undefined && { parentSpanId: trace.parentSpanId }),
      ...(trace.link !== undefined && { link: trace.link }),
      sampled: trace.sampled,
      ...decided,
      ...(userAgent !== undefined && { userAgent: boundedUserAgent(userAgent) }),
      gate: {
        bootId: parts.bootId,
        ...numbered(requestId),
        startedAtUs,
        durationUs: Math.max(0, parts.clock() - startedAtUs),
      },
    };
    note(stamp);
    return sealStamp(stamp, parts.key);
  }

  function note({ requestId, decision, route, identity, gate }: Stamp): void {
    const { number, startedAtUs } = gate;
    const user = identity?.user;
    parts.journal.note({ number, requestId, startedAtUs, decision, route, user });
  }

  return { verify, identify: (headers) => prove(readEvidence(headers)), stampOwn };
}
