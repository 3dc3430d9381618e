// All that answers, wired of one configuration: providers, sessions, the gate, its HTTP surface. Another
// configuration makes another front; what has not changed goes on in it, with all that it has learned.
import type { RequestListener } from 'node:http';
import type { Config } from './config/config.ts';
import { deriveKeys, type KeyRing } from './config/keys.ts';
import { explain } from './fault.ts';
import { createGate, type GateParts } from './gate.ts';
import type { Check } from './http/health.ts';
import { createSurface, stampOwn } from './http/server.ts';
import { signInRoutes, type Within } from './http/sign-in.ts';
import { createBearer, type Bearer } from './identity/bearer.ts';
import { createLogin } from './identity/login.ts';
import { createProvider, type Provider } from './identity/provider.ts';
import type { SessionStore } from './identity/session-store.ts';
import { createSessions, type Sessions } from './identity/session.ts';
import type { Logger } from './log.ts';
import { createKept, type Kept } from './reload/kept.ts';
import { toCheck } from './readiness.ts';
import type { RequestHeaders } from './request.ts';
import { createSample, type Sample } from './trace/sampling.ts';

/** What outlives configurations. */
export type FrontGround = Pick<GateParts, 'journal' | 'clock' | 'bootId' | 'numbered'> & {
  readonly log: Logger;
  readonly store: SessionStore;
  /** States of sign-ins that came back: none of them does twice, whatever the configuration. */
  readonly usedStates: Map<string, number>;
  readonly within: Within;
};

export type Front = {
  readonly surface: RequestListener;
  readonly sample: Sample;
  readonly provider: Provider;
  /** How providers and their keys stand. */
  checks(): Readonly<Record<string, Check>>;
};

/** Makes fronts, and closes what no front needs any more. */
export type Fronts = {
  /** Returns a front; what it is made of is not yet the one that holds. */
  prepare(config: Config, ring: KeyRing): Front;
  /** Keeps what was prepared last, or drops it; closes the parts that are left over. */
  settle(which: 'keep' | 'drop'): void;
  close(): void;
};

/** Returns what makes fronts on this ground. */
export function createFronts(ground: FrontGround): Fronts {
  const { store } = ground;
  const providers = createKept(createProvider, (provider) => provider.close());
  const sessions = createKept(
    (lifetimes: Config['session']) => createSessions({ store, now: Date.now, ...lifetimes }),
    (made) => made.close(),
  );
  const bearers = createKept(bearerOf, () => {});
  const all: readonly Kept<never, unknown>[] = [providers, sessions, bearers];

  function prepare(config: Config, ring: KeyRing): Front {
    const { issuer, clientId, clientSecret, scopes, claims: names } = config;
    return createFront(config, ring, ground, {
      provider: providers.of({ issuer, clientId, clientSecret, scopes }),
      sessions: sessions.of(config.session),
      bearer: bearers.of({ issuers: config.bearer, names }),
    });
  }

  return {
    prepare,
    settle: (which) => all.forEach((kept) => kept.settle(which)),
    close: () => all.forEach((kept) => kept.close()),
  };
}

type Parts = {
  readonly provider: Provider;
  readonly sessions: Sessions;
  readonly bearer: Bearer | undefined;
};

function createFront(config: Config, ring: KeyRing, ground: FrontGround, parts: Parts): Front {
  const { log, usedStates, within } = ground;
  const { provider, sessions, bearer } = parts;
  const sample = createSample(config.sampling);
  const login = createLogin({
    provider,
    keys: deriveKeys(ring, 'login'),
    names: config.claims,
    now: Date.now,
    used: usedStates,
  });
  const gate = createGate({
    ...ground,
    sessions,
    bearer,
    trust: config.trace.trust,
    sample,
    key: deriveKeys(ring, 'stamp')[0],
    onInvalidRequirement: (route, requirement, problem) =>
      log.error(
        { route, requirement, problem },
        'a requirement does not parse; the block is closed',
      ),
  });
  const signIn = signInRoutes({
    login,
    sessions,
    hosts: config.hosts,
    within,
    identify: (req) => gate.identify(req.headers as RequestHeaders),
    onOutcome: (req, res, { detail, ...outcome }) => {
      stampOwn(gate, req, res, outcome);
      if (detail !== undefined)
        log.warn(
          { request_id: req.get('X-Request-Id'), reason: outcome.reason, detail },
          'a sign-in was refused',
        );
    },
  });
  return {
    surface: createSurface({
      gate,
      signIn,
      sharedKey: 'key' in config.listen ? config.listen.key : undefined,
      onError: (error) => log.error({ error: explain(error) }, 'a request failed and was refused'),
    }),
    sample,
    provider,
    checks: () => ({
      provider: { ...toCheck(provider.state()), issuer: provider.issuer },
      ...(bearer !== undefined && { bearer: toCheck(bearer.state()) }),
    }),
  };
}

function bearerOf({ issuers, names }: { issuers: Config['bearer']; names: Config['claims'] }) {
  if (issuers.length === 0) return undefined;
  return createBearer({ issuers: issuers.map((issuer) => ({ ...issuer, names })), now: Date.now });
}
