// Made-up rows as a busy site has them: 90 days, 2,000 users of 40 teams, 60 routes, one sign-in for
// every few hundred requests. The same seed makes the same rows.
import type { EventRow, RequestRow, Row, RowIdentity } from '../../sidecar/audit/row.ts';
import type { Decision, Reason } from '../../sidecar/policy/reason.ts';
import { createRandom, type Random } from '../fixtures/random.ts';

export const USERS = 2000;
export const TEAMS = 40;
export const ROUTES = 60;
export const DAYS = 90;

/** 2026-08-22T00:00:00Z, the first of the days. */
export const FIRST_DAY_US = 1_787_356_800_000_000;
export const DAY_US = 86_400_000_000;

const SIGN_IN_EVERY = 400;
const DOUBLES_PER_ROW = 3;
const AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';

/** Returns the user, team or route of a number, as the rows name it. */
export const userName = (number: number) => `user-${number}`;
export const teamName = (number: number) => `team-${number}`;
export const routeName = (number: number) => `route-${number}`;

/** Yields `count` rows in the order of time, evenly over the days. */
export function* benchRows(count: number, seed: number): Generator<Row> {
  const random = createRandom(seed);
  const stepUs = (DAYS * DAY_US) / count;
  for (let number = 0; number < count; number++) {
    const startedAtUs = FIRST_DAY_US + Math.floor(number * stepUs) + random.below(1000);
    const who = identityOf(skewed(random, USERS));
    if (number % SIGN_IN_EVERY === 0) yield signIn(uuid(random), startedAtUs, who);
    else yield request(random, number, startedAtUs, who);
  }
}

function request(
  random: Random,
  number: number,
  startedAtUs: number,
  who: RowIdentity,
): RequestRow {
  const requestId = uuid(random);
  const durationUs = lognormal(random);
  const { decision, reason, status } = outcome(random);
  const route = skewed(random, ROUTES);
  const isKnown = decision === 'allow' || decision === 'deny';
  return {
    kind: 'request',
    requestId,
    traceId: requestId.replaceAll('-', ''),
    sampled: true,
    startedAtUs,
    durationUs,
    skewUs: random.below(40) - 20,
    method: random.below(4) === 0 ? 'POST' : 'GET',
    scheme: 'https',
    host: 'app.example.com',
    path: `/${routeName(route)}/${random.below(100_000)}/items`,
    protocol: 'HTTP/2.0',
    status,
    requestBytes: random.below(500),
    responseBytes: random.below(50_000),
    clientAddress: `192.0.2.${random.below(256)}`,
    peerAddress: `192.0.2.${random.below(256)}`,
    userAgent: AGENT,
    decision,
    reason,
    ...(decision !== 'none' && { route: routeName(route), requirement: 'any' }),
    ...(isKnown && { identity: who }),
    ...(decision !== 'none' && {
      gate: {
        bootId: '6f1f9c1e-6d0c-4c4f-9f5e-2a7d3f0b9c11',
        number: number + 1,
        startedAtUs: startedAtUs + 200,
        durationUs: 60 + random.below(60),
      },
    }),
    ...(decision === 'allow' && {
      upstream: {
        address: '10.0.0.3:3000',
        startedAtUs: startedAtUs + 400,
        durationUs: Math.max(0, durationUs - 500),
        latencyUs: Math.max(0, durationUs - 900),
        retries: 0,
      },
    }),
  };
}

function signIn(id: string, startedAtUs: number, identity: RowIdentity): EventRow {
  return {
    kind: 'event',
    requestId: `sign-in:${id}`,
    event: 'sign-in',
    details: { provider: 'https://login.example.com' },
    startedAtUs,
    traceId: id.replaceAll('-', ''),
    identity,
  };
}

type Outcome = {
  readonly decision: Decision;
  readonly reason: Reason;
  readonly status: number;
};

// Of a thousand: 930 allowed (4 of them fail), 30 sent to sign in, 20 refused, 20 unprotected.
function outcome(random: Random): Outcome {
  const draw = random.below(1000);
  if (draw < 4) return { decision: 'allow', reason: 'requirement-met', status: 502 };
  if (draw < 930) return { decision: 'allow', reason: 'requirement-met', status: 200 };
  if (draw < 960) return { decision: 'login', reason: 'no-credentials', status: 302 };
  if (draw < 980) return { decision: 'deny', reason: 'team-not-allowed', status: 403 };
  return { decision: 'none', reason: 'unprotected', status: 200 };
}

const identities = new Map<number, RowIdentity>();

function identityOf(number: number): RowIdentity {
  const known = identities.get(number);
  if (known !== undefined) return known;
  const made: RowIdentity = {
    issuer: 'https://login.example.com/realms/main',
    subject: `0a9d4c1e-77aa-4c1b-9d4e-${number.toString(16).padStart(12, '0')}`,
    user: userName(number),
    team: teamName(number % TEAMS),
    roles: ['engineer'],
    type: number % 10 === 0 ? 'service' : 'human',
    method: 'session',
    sessionHash: number.toString(16).padStart(16, '0'),
  };
  identities.set(number, made);
  return made;
}

// Some are a few times as busy as others.
function skewed(random: Random, count: number): number {
  return Math.min(random.below(count), random.below(count));
}

// Around 20 ms, with a long tail: 1 % above 200 ms.
function lognormal(random: Random): number {
  let sum = 0;
  for (let drawn = 0; drawn < DOUBLES_PER_ROW; drawn++) sum += random.below(65_536) / 65_536;
  return Math.round(20_000 * Math.exp((sum - DOUBLES_PER_ROW / 2) * 2));
}

function uuid(random: Random): string {
  const hex = [0, 1, 2, 3]
    .map(() =>
      random
        .below(2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('');
  const version = `4${hex.slice(13, 16)}`;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${version}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
