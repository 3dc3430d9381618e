// What the parts are measured with: people, stamps and lines as a busy site has them. The stamps are
// sealed by the gate's own code, the lines have the shape that Caddy 2.11.4 writes behind TLS.
import { createSecretKey, randomUUID } from 'node:crypto';
import type { Identity } from '../../sidecar/identity/identity.ts';
import { sealStamp, stampedIdentity, type Stamp } from '../../sidecar/stamp.ts';
import { aCaddyLine, aCaddyRequest } from '../fixtures/lines.ts';
import { identity } from '../fixtures/identities.ts';

/** How many people ask in turn. */
export const PEOPLE = 1000;

/** 110 characters. */
export const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.';

export const STAMP_KEY = createSecretKey(Buffer.alloc(32, 1));
export const ISSUER = 'https://login.example.com/realms/main';

const BOOT_ID = '6f1f9c1e-6d0c-4c4f-9f5e-2a7d3f0b9c11';
const MINUTE_US = 60_000_000;

/** Returns a person: everything that a provider says of one. */
export function personOf(number: number): Identity {
  const at = number % PEOPLE;
  return identity({
    issuer: ISSUER,
    subject: `f3a1c0de-0000-4000-8000-${String(at).padStart(12, '0')}`,
    user: `user-${at}`,
    name: `User ${at} of Example`,
    email: `user-${at}@example.com`,
    groups: ['staff', `team-${at % 40}`],
    team: `team-${at % 40}`,
    roles: ['engineer', 'viewer'],
    sessionHash: at.toString(16).padStart(16, '0'),
  });
}

const STAMPED = Array.from({ length: PEOPLE }, (_, at) => stampedIdentity(personOf(at)));

/** Returns the stamp of the how-manieth decision, a person's allowed request of just now. */
export function stampOf(number: number, requestId: string, startedAtUs: number): Stamp {
  const who = STAMPED[number % PEOPLE];
  return {
    requestId,
    traceId: requestId.replaceAll('-', ''),
    sampled: true,
    ...(who !== undefined && { identity: who }),
    decision: 'allow',
    reason: 'requirement-met',
    route: 'orders',
    requirement: 'any',
    userAgent: USER_AGENT,
    gate: { bootId: BOOT_ID, number, startedAtUs, durationUs: 40 + (number % 30) },
  };
}

/** Returns the lines of so many requests in the order of time, each without its newline. */
export function linesOf(count: number, from = 1): string[] {
  const beginningUs = Date.now() * 1000 - MINUTE_US;
  return Array.from({ length: count }, (_, at) => lineOf(from + at, beginningUs + 50 * at));
}

function lineOf(number: number, startedAtUs: number): string {
  const id = randomUUID();
  const durationUs = 900 + (number % 700);
  const line = aCaddyLine({
    request: requestOf(number),
    ts: (startedAtUs + durationUs) / 1e6,
    user_id: `user-${number % PEOPLE}`,
    duration: durationUs / 1e6,
    size: 200 + (number % 5000),
    uuid: id,
    stamp: sealStamp(stampOf(number, id, startedAtUs + 150), STAMP_KEY),
    proxied_ms: String(Math.floor((startedAtUs + 300) / 1000)),
    upstream_duration_ms: (durationUs - 350) / 1000,
    upstream_latency_ms: (durationUs - 500) / 1000,
  });
  return JSON.stringify(line);
}

function requestOf(number: number): Record<string, unknown> {
  const address = `192.0.2.${number % 250}`;
  return aCaddyRequest({
    remote_ip: address,
    remote_port: String(20_000 + (number % 30_000)),
    client_ip: address,
    proto: 'HTTP/2.0',
    uri: `/orders/${number}/items?page=${number % 9}`,
    tls: {
      resumed: false,
      version: 772,
      cipher_suite: 4865,
      proto: 'h2',
      server_name: 'app.example.com',
      ech: false,
    },
  });
}
