// The gate as the sidecar has it (sessions on disk, a journal, an issuer's keys), with people who are
// signed in and have tokens. Without a socket: the process around it opens one.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createClock } from '../../sidecar/clock.ts';
import { createGate, type Gate } from '../../sidecar/gate.ts';
import { createNumbers } from '../../sidecar/numbers.ts';
import { createBearer } from '../fixtures/bearer.ts';
import { createSessions, type Sessions } from '../../sidecar/sessions/sessions.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import { openJournal } from '../../sidecar/decisions/journal.ts';
import { createSample } from '../../sidecar/trace/sampling.ts';
import { SAMPLE_EVERYTHING } from '../fixtures/sampling.ts';
import { ISSUER, PEOPLE, personOf, STAMP_KEY } from './parts-inputs.ts';
import type { Credentials } from './parts-kinds.ts';

const AUDIENCE = 'https://orders.example.com';
const HOUR_MS = 3_600_000;

export type MadeGate = {
  readonly gate: Gate;
  /** The same, but it remembers one token only. */
  readonly forgetful: Gate;
  readonly given: Credentials;
  remove(): Promise<void>;
};

/** Returns the gate, in a temporary folder until it is removed. */
export async function makeGate(): Promise<MadeGate> {
  const folder = mkdtempSync(join(tmpdir(), 'signet-parts-'));
  const keys = [STAMP_KEY];
  const store = createSqliteSessions({ path: join(folder, 'sessions.db'), now: Date.now });
  const lifetimes = { idleMs: HOUR_MS, absoluteMs: HOUR_MS };
  const sessions = createSessions({ store, now: Date.now, keys: () => keys, ...lifetimes });
  const issuer = await makeIssuer();
  const journals = ['boot-1', 'boot-2'].map((bootId) =>
    openJournal({ folder: join(folder, 'gate'), bootId, machineBootId: '' }),
  );
  const gateWith = (at: number, maxCached?: number) =>
    createGate({
      sessions,
      bearer: createBearer({
        issuers: [{ name: 'main', issuer: ISSUER, audiences: [AUDIENCE] }],
        fetch: issuer.fetch,
        now: Date.now,
        ...(maxCached !== undefined && { maxCached }),
      }),
      trust: 'bearer',
      sample: createSample(SAMPLE_EVERYTHING),
      key: STAMP_KEY,
      numbered: createNumbers(),
      bootId: '6f1f9c1e-6d0c-4c4f-9f5e-2a7d3f0b9c11',
      journal: journals[at] ?? { note: () => {} },
      clock: createClock(),
      onInvalidRequirement: (_route, _text, problem) => console.error(problem),
    });
  return {
    gate: gateWith(0),
    forgetful: gateWith(1, 1),
    given: { cookies: await signedIn(sessions), tokens: issuer.tokens },
    remove: async () => {
      for (const journal of journals) journal.close();
      await sessions.close();
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function signedIn(sessions: Sessions): Promise<string[]> {
  const begun = Array.from({ length: PEOPLE }, (_, at) =>
    sessions.begin({ identity: personOf(at) }),
  );
  return (await Promise.all(begun)).map((id) => `__Host-signet=${id}`);
}

// RS256 with 2,048 bits: what most providers sign with.
async function makeIssuer() {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'first', alg: 'RS256', use: 'sig' };
  const tokens = Array.from({ length: PEOPLE }, (_, at) =>
    new SignJWT(claimsOf(at))
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: 'first' })
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey),
  );
  const discovery = { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` };
  const fetch = (url: string | URL | Request) =>
    Promise.resolve(Response.json(url === discovery.jwks_uri ? { keys: [jwk] } : discovery));
  return { tokens: await Promise.all(tokens), fetch };
}

function claimsOf(at: number) {
  const { subject, user, name, email, groups, team, roles } = personOf(at);
  return {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: subject,
    preferred_username: user,
    name,
    email,
    email_verified: true,
    groups,
    team,
    roles,
    user_type: 'human',
    client_id: 'web',
    jti: `token-${at}`,
  };
}
