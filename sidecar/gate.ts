// Spine 1, before the upstream: evidence → identity → decision → trace → stamp.
// Reads top to bottom as what happens to a request. No disk for a session seen within the last
// second, no telemetry, and no matching of paths or hosts: Caddy has done that.
import type { KeyObject } from 'node:crypto';
import { Fault } from './fault.ts';
import type { Assertions } from './identity/assertion.ts';
import type { Bearer } from './identity/bearer.ts';
import type { Identity } from './identity/identity.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { Journal } from './decisions/journal.ts';
import type { Numbers } from './numbers.ts';
import { decide, type Found, type Outcome } from './policy/decide.ts';
import type { EvidenceReason } from './identity/reason.ts';
import type { Reason } from './policy/reason.ts';
import { createRequirements, type Requirement } from './policy/requirement.ts';
import { onlyVoucher, type Vouchers } from './policy/vouched.ts';
import { createPresent, NOBODY } from './present.ts';
import {
  readAsked,
  readEvidence,
  readOrigin,
  type Asked,
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
import type { Sample } from './trace/sampling.ts';

/** What the gate is made of. */
export type GateParts = {
  readonly sessions: Pick<Sessions, 'find'>;
  /** Undefined where no audience is configured: an `Authorization` header is then the app's affair. */
  readonly bearer: Pick<Bearer, 'verify'> | undefined;
  /** What the session's cookie is called, if not as for one host. */
  readonly cookieName?: string;
  /** Signs for the app who is calling; undefined where that is not wanted. */
  readonly assertions?: Pick<Assertions, 'of'> | undefined;
  readonly trust: TraceTrust;
  readonly sample: Sample;
  /** Seals the stamps. */
  readonly key: KeyObject;
  /** Names this run of the process, in the stamps. */
  readonly bootId: string;
  /** Counts the boot's decisions. */
  readonly numbered: Numbers;
  /** Where each decision is noted, so that one whose line is lost can be told. */
  readonly journal: Pick<Journal, 'note'>;
  /** Microseconds since the epoch. */
  readonly clock: () => number;
  /** Who there is to vouch for callers: all others behind `idp:` are mistakes. Default: any name. */
  readonly vouchers?: Vouchers;
  /** Told once per block and text that a requirement is invalid, and why. */
  readonly onInvalidRequirement: (route: string, text: string, problem: string) => void;
  /** Told once when such a block is asked for with a requirement that parses. */
  readonly onMendedRequirement?: (route: string) => void;
};

/** The gate's answer, before HTTP. */
export type Verdict = {
  readonly decision: Outcome['decision'];
  readonly reason: Reason;
  readonly requirement: Requirement;
  readonly identity: Identity | undefined;
  readonly requestId: string;
  /** The URI asked for, as the client wrote it; where a sign-in returns to. */
  readonly uri: string;
  readonly isNavigation: boolean;
  /** Of a `login`: the only provider that would do; undefined where it is the caller's choice. */
  readonly signInAt: string | undefined;
  /** `Remote-*` for the app, names and values in turn; empty when nobody is known. */
  readonly identityHeaders: readonly string[];
  /** A JWT for the app that says the same, so that it can verify it. */
  readonly assertion: string | undefined;
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

/** What such an answer carries. */
export type OwnMarks = {
  readonly stamp: string;
  readonly serverTiming: string;
};

/** Who the evidence proves, or why nobody. */
export type Proven = Identity | { readonly refused: EvidenceReason };

export type Gate = {
  /**
   * Decides about one subrequest of `forward_auth`, whose raw target is `target`: at once, unless
   * somebody else has to be asked. Undefined when it was not Caddy with our snippet who asked.
   */
  verify(target: string, headers: RequestHeaders): Verdict | undefined | Promise<Verdict>;
  /** Returns who is calling, by the same evidence as `verify`; a Fault if it can't ask. */
  identify(headers: RequestHeaders): Proven | Promise<Proven>;
  /** Stamps an answer under `/.signet/`; undefined when it was not Caddy who asked. */
  stampOwn(headers: RequestHeaders, outcome: OwnOutcome): OwnMarks | undefined;
};

/** Returns the gate. Its only state: what it made once for many. */
export function createGate(parts: GateParts): Gate {
  const { people = [] } = parts.vouchers ?? {};
  const requirementOf = createRequirements({
    vouchers: parts.vouchers,
    onInvalid: parts.onInvalidRequirement,
    onMended: parts.onMendedRequirement,
  });
  const present = createPresent();

  function verify(target: string, headers: RequestHeaders): Verdict | undefined | Promise<Verdict> {
    const startedAtUs = parts.clock();
    const asked = readAsked(target, headers);
    if (asked === undefined) return undefined;

    // No wait for what is at hand: an answer costs 43 µs so, and 47 with it.
    const found = find(readEvidence(headers, parts.cookieName));
    const concluded = (known: Found) => conclude(asked, known, headers, startedAtUs);
    return 'then' in found ? found.then(concluded) : concluded(found);
  }

  function conclude(
    asked: Asked,
    found: Found,
    headers: RequestHeaders,
    startedAtUs: number,
  ): Verdict {
    const identity = 'identity' in found ? found.identity : undefined;

    const requirement = requirementOf(asked.route, asked.require);
    const { decision, reason } = decide(requirement, found, asked.how);

    // Of a preflight nobody was held against the requirement: the app is told of nobody.
    const toTell = decision === 'allow' && reason !== 'preflight' ? identity : undefined;
    const presented = present(identity);
    const told = toTell === undefined ? NOBODY : presented;
    const assertion = toTell && parts.assertions?.of(toTell, asked.route);
    const decided = {
      identity: presented.stamped,
      decision,
      reason,
      route: asked.route,
      requirement: asked.require && boundedRequirement(asked.require),
    };

    const trusted = isTrusted(parts.trust, identity?.method);
    const isSampled = parts.sample(decided);
    const trace = traceContext(asked.requestId, headers, trusted, told.baggage, isSampled);

    const stamp = seal(asked.requestId, trace, startedAtUs, headers, decided);
    return {
      decision,
      reason,
      requirement,
      identity,
      requestId: asked.requestId,
      uri: asked.uri,
      isNavigation: asked.how === 'navigation',
      signInAt: decision === 'login' ? onlyVoucher(requirement, people) : undefined,
      identityHeaders: told.headers,
      assertion,
      trace,
      stamp,
    };
  }

  // Fails closed: what could not be asked is a shut door, never an anonymous caller.
  function find(evidence: Evidence): Found | Promise<Found> {
    try {
      const proven = prove(evidence);
      return 'then' in proven ? proven.then(toFound).catch(toClosed) : toFound(proven);
    } catch (error) {
      return toClosed(error);
    }
  }

  function prove(evidence: Evidence): Proven | Promise<Proven> {
    if (evidence.bearer !== undefined && parts.bearer !== undefined) {
      return parts.bearer.verify(evidence.bearer);
    }
    if (evidence.session === undefined) return { refused: 'no-credentials' };
    if (evidence.session === 'repeated') return { refused: 'cookie-repeated' };
    return parts.sessions.find(evidence.session);
  }

  function stampOwn(headers: RequestHeaders, outcome: OwnOutcome): OwnMarks | undefined {
    const startedAtUs = parts.clock();
    const origin = readOrigin(headers);
    if (origin === undefined) return undefined;
    const decided = {
      identity: present(outcome.identity).stamped,
      decision: outcome.decision,
      reason: outcome.reason,
      route: 'signet',
      events: outcome.events,
    };
    const trace = traceContext(origin.requestId, headers, false, '', parts.sample(decided));
    const stamp = seal(origin.requestId, trace, startedAtUs, headers, decided);
    return { stamp, serverTiming: trace.serverTiming };
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
      parentSpanId: trace.parentSpanId,
      link: trace.link,
      sampled: trace.sampled,
      ...decided,
      userAgent: userAgent && boundedUserAgent(userAgent),
      gate: {
        bootId: parts.bootId,
        ...parts.numbered(requestId),
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

  return {
    verify,
    identify: (headers) => prove(readEvidence(headers, parts.cookieName)),
    stampOwn,
  };
}

function toFound(proven: Proven): Found {
  return 'refused' in proven ? proven : { identity: proven };
}

function toClosed(error: unknown): Found {
  if (!(error instanceof Fault)) throw error;
  const isProvider = error.code === 'ERR_PROVIDER';
  return { closed: isProvider ? 'provider-unavailable' : 'session-store-unavailable' };
}
