// All that answers, wired of one configuration: providers, sessions, the gate, its HTTP surface. Another
// configuration makes another front; what has not changed goes on in it, with all that it has learned.
import type { KeyObject } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createBoundedTelling, type BoundedTelling, type Later } from './bounded-telling.ts';
import type { Config } from './config/config.ts';
import { deriveKeys, type KeyRing } from './config/keys.ts';
import { createEndedMeanwhile, type EndedMeanwhile } from './ended-meanwhile.ts';
import { explain, Fault } from './fault.ts';
import { createGate, type GateParts } from './gate.ts';
import { createBackChannel } from './http/back-channel-logout.ts';
import type { Check } from './http/health.ts';
import { failedText, refusedAct, refusedText } from './http/refused-act.ts';
import { createPages } from './http/pages.ts';
import { createSurface, stampOwn } from './http/server.ts';
import { signInRoutes, type SignInOptions, type Within } from './http/sign-in.ts';
import { createAssertions } from './identity/assertion.ts';
import { createBearer, type Bearer } from './identity/bearer.ts';
import type { BearerIssuer } from './identity/bearer-issuer.ts';
import { createIssuerTokens, type IssuerTokens } from './identity/bearer-tokens.ts';
import { sessionCookieName } from './identity/cookie.ts';
import { createRefresh, providerOf } from './identity/refresh.ts';
import { createHandOver } from './identity/hand-over.ts';
import type { Identity } from './identity/identity.ts';
import { createLogin } from './identity/login.ts';
import { createProvider, type Provider } from './identity/provider.ts';
import type { EndedNames } from './sessions/ended-names.ts';
import type { SessionStore } from './sessions/store.ts';
import { createSessions, type Sessions } from './sessions/sessions.ts';
import type { Logger } from './log.ts';
import { createKept, createKeptAll, type Kept } from './reload/kept.ts';
import { createClosedBlocks } from './policy/closed-blocks.ts';
import { checkOf, toCheck } from './readiness.ts';
import type { RequestHeaders } from './request.ts';
import {
  createSessionTroubles,
  sessionTroubleText,
  type SessionTrouble,
  type SessionTroubles,
} from './session-troubles.ts';
import { createSample, type Sample } from './trace/sampling.ts';

/** What outlives configurations. */
export type FrontGround = Pick<GateParts, 'journal' | 'clock' | 'bootId' | 'numbered'> & {
  readonly log: Logger;
  readonly store: SessionStore;
  readonly used: Used;
  readonly within: Within;
  /** Told of sessions that ended without their person. */
  readonly onEnded: (ended: { identity: Identity; why: string }) => void;
  /** Default: by a timer that keeps no process alive. */
  readonly later?: Later;
};

/**
 * What may be used once, whatever the configuration: states of sign-ins, hand-overs, logout tokens, what a
 * provider has ended, and ended sessions that could not be removed yet.
 */
export type Used = Readonly<
  Record<'states' | 'handOvers' | 'logoutTokens' | 'unremoved', Map<string, number>>
> & { readonly endedNames: EndedNames };

export type Front = {
  readonly surface: RequestListener;
  readonly sample: Sample;
  readonly providers: readonly Provider[];
  /** How providers and their keys stand, and which blocks are closed by mistake. */
  checks(): Readonly<Record<string, Check>>;
};

/** Makes fronts, and closes what no front needs any more. */
export type Fronts = {
  /** Returns a front; what it is made of is not yet the one that holds. */
  prepare(config: Config, ring: KeyRing): Front;
  /** Keeps what was prepared last, or drops it; closes the parts that are left over. */
  settle(which: 'keep' | 'drop'): void;
  /** Resolves when last-seen times are written, and refreshes too, or given up. The first call begins it. */
  close(): Promise<void>;
};

/** What sessions are kept by, of the configuration that holds: they go on when it is another. */
type Holding = {
  readonly keys: readonly KeyObject[];
  readonly providers: readonly Provider[];
};

/** Returns what makes fronts on this ground. */
export function createFronts(ground: FrontGround): Fronts {
  const { store, log, used } = ground;
  const ended = createEndedMeanwhile();
  const onEnded: FrontGround['onEnded'] = (one) => {
    ended.note(one.identity);
    ground.onEnded(one);
  };
  const refusals = createRefusals(ground);
  let holding: Holding = { keys: [], providers: [] };
  let next = holding;
  let closed = Promise.resolve();
  let closing: Promise<void> | undefined;
  const troubles = createSessionTroubles(Date.now, (trouble) => tellTrouble(log, trouble));
  const onUnusable = (issuer: string) => (keys: string) =>
    log.warn(
      { issuer, keys },
      "keys of an issuer can't be used; tokens that name them are refused",
    );
  const providers = createKeptAll(
    (made: Config['providers'][number]) =>
      createProvider({ ...made, onUnusable: onUnusable(made.issuer) }),
    (provider) => provider.close(),
  );
  const sessions = createKept(
    ({ recheckMs, ...lifetimes }: Config['session']) =>
      createSessions({
        ...{ store, now: Date.now, ...lifetimes, onEnded },
        ...{ endedNames: used.endedNames, unremoved: used.unremoved },
        keys: () => holding.keys,
        ...(recheckMs !== undefined && { recheckMs }),
        refresh: async (session) => {
          const answer = await createRefresh(holding.providers, Date.now)(session);
          if (answer && !('unchecked' in answer)) troubles.answered(session.identity);
          return answer;
        },
        isAccepted: (identity) => providerOf(holding.providers, identity) !== undefined,
        onTrouble: (error, identity) => troubles.failed(error, identity),
      }),
    (made) => {
      // Those before it as well: their refreshes may still be under way.
      closed = Promise.all([closed, made.close()]).then(() => {});
    },
  );
  const issuers = createKeptAll(
    (issuer: BearerIssuer) =>
      createIssuerTokens({ issuer, now: Date.now, onUnusable: onUnusable(issuer.issuer) }),
    () => {},
  );
  const all: readonly Kept<never, unknown>[] = [providers, sessions, issuers];

  function prepare(config: Config, ring: KeyRing): Front {
    next = { keys: deriveKeys(ring, 'session'), providers: providers.of(config.providers) };
    return createFront(config, ring, ground, {
      troubles,
      refusals,
      ended,
      providers: next.providers,
      sessions: sessions.of(config.session),
      bearer: bearerOf(issuers.of(config.bearer)),
    });
  }

  function close(): Promise<void> {
    all.forEach((kept) => kept.close());
    refusals.flush();
    return closed;
  }

  return {
    prepare,
    settle: (which) => {
      if (which === 'keep') holding = next;
      all.forEach((kept) => kept.settle(which));
    },
    close: () => (closing ??= close()),
  };
}

function tellTrouble(log: Logger, trouble: SessionTrouble): void {
  const { error, provider, count, sinceMs } = trouble;
  const since = new Date(sinceMs).toISOString();
  log.warn({ provider, error: explain(error), count, since }, sessionTroubleText(trouble));
}

/** What the log says of a request that was refused: of one, or of so many more, of which this is the latest. */
type Refusal = {
  readonly level: 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: (more?: number) => string;
};

// Whoever likes can have requests refused without end.
function createRefusals({ log, later = inTime }: FrontGround): BoundedTelling<Refusal> {
  return createBoundedTelling<Refusal>({
    ...{ now: Date.now, later },
    tell: ({ level, fields, text }, more) => {
      const since = more && { count: more.count, since: new Date(more.sinceMs).toISOString() };
      log[level]({ ...fields, ...since }, text(more?.count));
    },
  });
}

function inTime(ms: number, act: () => void): void {
  setTimeout(act, ms).unref();
}

type Parts = {
  readonly troubles: SessionTroubles;
  readonly refusals: BoundedTelling<Refusal>;
  readonly ended: EndedMeanwhile;
  readonly providers: readonly Provider[];
  readonly sessions: Sessions;
  readonly bearer: Bearer | undefined;
};

function createFront(config: Config, ring: KeyRing, ground: FrontGround, parts: Parts): Front {
  const { log } = ground;
  const { troubles, refusals, ended, providers, sessions, bearer } = parts;
  const blocks = createClosedBlocks();
  const sample = createSample(config.sampling);
  const assertions = assertionsOf(config, ring);
  const gate = createGate({
    ...ground,
    sessions,
    bearer,
    assertions,
    cookieName: sessionCookieName(config.cookie),
    trust: config.trace.trust,
    sample,
    key: deriveKeys(ring, 'stamp')[0],
    vouchers: { people: namesOf(providers), tokens: namesOf(config.bearer) },
    onInvalidRequirement: (route, requirement, problem) => {
      blocks.note(route, problem);
      log.error({ route, requirement, problem }, 'a requirement is invalid; the block is closed');
    },
    onMendedRequirement: (route) => {
      blocks.mended(route);
      log.info({ route }, 'the requirement of a closed block is valid again');
    },
  });
  const pages = createPages(config.pages);
  const signIn = signInRoutes({
    ...signInParts(config, ring, ground, providers),
    ...(assertions && { assertions }),
    sessions,
    pages,
    within: ground.within,
    identify: (req) => gate.identify(req.headers as RequestHeaders),
    onOutcome: (req, res, { detail, ...outcome }) => {
      const events = [...(outcome.events ?? []), ...ended.events()];
      stampOwn(gate, req, res, { ...outcome, ...(events.length > 0 && { events }) });
      if (detail === undefined) return;
      const { reason } = outcome;
      const act = refusedAct(req.path);
      refusals.hear(`${act} ${reason}`, {
        level: 'warn',
        fields: { request_id: req.get('X-Request-Id'), reason, detail },
        text: (more) => refusedText(act, reason, more),
      });
    },
  });
  return {
    surface: createSurface({
      gate,
      signIn: (req, res, next) => void ended.within(() => signIn(req, res, next)),
      pages,
      sharedKey: 'key' in config.listen ? config.listen.key : undefined,
      onError: (error) =>
        refusals.hear(error instanceof Fault ? error.code : 'failed', {
          level: 'error',
          fields: { error: explain(error) },
          text: failedText,
        }),
    }),
    sample,
    providers,
    checks: () => ({
      ...checksOf(providers, troubles),
      requirements: toCheck(blocks.state()),
      ...(bearer !== undefined && { bearer: toCheck(bearer.state()) }),
    }),
  };
}

// Whoever signs in or out, and where.
function signInParts(
  { hosts, cookie }: Config,
  ring: KeyRing,
  { used }: FrontGround,
  providers: readonly Provider[],
): Pick<SignInOptions, 'login' | 'hosts' | 'cookie' | 'providers' | 'handOver' | 'backChannel'> {
  const keys = deriveKeys(ring, 'login');
  const now = Date.now;
  const login = createLogin({ providers, keys, now, used: used.states });
  const central =
    cookie.kind === 'central'
      ? createHandOver({ keys, central: cookie.host, hosts, now, used: used.handOvers })
      : undefined;
  return {
    ...{ login, hosts, cookie, providers },
    ...(central && { handOver: central }),
    backChannel: createBackChannel(providers, { now, used: used.logoutTokens }),
  };
}

function assertionsOf({ assertion }: Config, ring: KeyRing) {
  if (assertion === undefined) return undefined;
  const keys = deriveKeys(ring, 'assertion');
  return createAssertions({ keys: () => keys, issuer: assertion.issuer, now: Date.now });
}

// The first is `provider`, as when there was one only.
function checksOf(
  providers: readonly Provider[],
  troubles: SessionTroubles,
): Record<string, Check> {
  const told = providers.map((provider, at) => {
    const name = at === 0 ? 'provider' : `provider_${provider.name}`;
    const problem = provider.state().problem ?? troubles.problemOf(provider);
    // That of its keys is of logout tokens alone: people sign in all the same.
    const check = problem === undefined ? withKeys(provider) : checkOf(problem);
    return [name, { ...check, issuer: provider.issuer }] as const;
  });
  return Object.fromEntries(told);
}

function withKeys({ keys }: Provider): Check {
  return { ...toCheck(keys.state()), ok: true };
}

function namesOf(all: readonly { readonly name: string }[]): string[] {
  return all.map(({ name }) => name);
}

function bearerOf(issuers: readonly IssuerTokens[]): Bearer | undefined {
  return issuers.length === 0 ? undefined : createBearer(issuers, Date.now);
}
