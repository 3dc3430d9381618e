// What the gate would say to its question: the sidecar's own reading of the requirement and its own decision, and
// what the client would get. Nothing is proved here: the caller is whoever is named.
import type { Gate } from '../edge/gate-handler.ts';
import { identityHeaders } from '../identity/headers.ts';
import { decide, type Found, type How, type Outcome as Decided } from '../policy/decide.ts';
import { inWords, parseRequirement, type Requirement } from '../policy/requirement.ts';
import { unknownName } from '../policy/vouched.ts';
import type { Request } from './request.ts';
import type { GateAnswer } from './way.ts';

export type Verdict = {
  /** The block's name. */
  readonly route: string;
  /** As the Caddyfile has it. */
  readonly requirement: string;
  readonly decision: Decided['decision'];
  readonly reason: Decided['reason'];
  /** What the gate answers to Caddy: 204, or what the client gets. */
  readonly status: number;
  /** What it takes, in words; why it can't be met, where it is invalid. */
  readonly takes: string;
};

export type VerdictOptions = {
  readonly found: Found;
  /** Of providers and issuers; undefined: any name is one. */
  readonly names?: readonly string[] | undefined;
  /** Whether the answer is a yes, whoever asks. */
  readonly isLetIn: boolean;
};

const LET_IN = { decision: 'allow', reason: 'requirement-met' } as const;

/** Returns the gate's verdict, and what Caddy sees of its answer. */
export function verdictOf(
  gate: Gate,
  request: Request,
  { found, names, isLetIn }: VerdictOptions,
): { verdict: Verdict; answer: GateAnswer } {
  const requirement = known(parseRequirement(gate.requirement), names);
  const decided = decide(requirement, found, howOf(request));
  const { decision, reason } = isLetIn ? LET_IN : decided;
  const status = statusOf({ decision, reason }, found);
  const takes = requirement.level === 'invalid' ? requirement.problem : inWords(requirement);
  const { route = '', requirement: written = '' } = gate;
  return {
    verdict: { route, requirement: written, decision, reason, status, takes },
    answer: answerOf({ decision, reason }, status, found),
  };
}

function known(requirement: Requirement, names: readonly string[] | undefined): Requirement {
  const problem = names && unknownName(requirement, names);
  return problem === undefined ? requirement : { level: 'invalid', problem };
}

function statusOf({ decision, reason }: Decided, found: Found): number {
  if (decision === 'allow') return 204;
  if (decision === 'login') return 302;
  if (reason === 'provider-unavailable' || reason === 'session-store-unavailable') return 503;
  return reason === 'requirement-invalid' || 'identity' in found ? 403 : 401;
}

// As the sidecar tells them apart by what Caddy hands on (sidecar/request.ts).
function howOf({ original, headers }: Request): How {
  const [origin = '', method = '', mode, accept = ''] = [
    'origin',
    'access-control-request-method',
    'sec-fetch-mode',
    'accept',
  ].map((name) => headers.get(name)?.join(','));
  const isPreflight =
    original.method === 'OPTIONS' &&
    /^[^\s,]+$/.test(origin) &&
    /^[\w!#$%&'*+.^`|~-]+$/.test(method);
  if (isPreflight) return 'preflight';
  const isRead = original.method === 'GET' || original.method === 'HEAD';
  const isPage = mode === undefined ? isRead && accept.includes('text/html') : mode === 'navigate';
  return isPage ? 'navigation' : 'other';
}

const OF_A_CALLER = [
  'remote-user',
  'remote-name',
  'remote-email',
  'remote-groups',
  'remote-team',
  'remote-user-type',
];

// An assertion is taken for switched off: with it, the same is handed on, and one header more.
function answerOf({ decision, reason }: Decided, status: number, found: Found): GateAnswer {
  const isTold = decision === 'allow' && reason !== 'preflight' && 'identity' in found;
  const told = isTold ? identityHeaders(found.identity).filter((_, at) => at % 2 === 0) : [];
  const has = ['signet-stamp', 'server-timing', ...told.map((name) => name.toLowerCase())];
  if (decision === 'allow') has.push('traceparent');
  if (decision === 'login') has.push('location', 'cache-control');
  if (reason === 'preflight') has.push('signet-preflight');
  const never = ['signet-problem', 'signet-assertion', 'signet-preflight', ...OF_A_CALLER];
  return { status, has, lacks: never.filter((name) => !has.includes(name)) };
}
