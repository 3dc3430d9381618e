// What a provider posts when somebody signs out there (OpenID Connect Back-Channel Logout 1.0): ends the sessions
// that its logout token names. No browser, no cookies: the token's signature is all the proof.
import type { Request } from 'express';
import { explain, Fault } from '../fault.ts';
import {
  createLogoutTokens,
  MAX_LOGOUT_TOKEN_CHARS,
  type LogoutNamed,
  type LogoutTokens,
} from '../identity/logout-token.ts';
import type { Provider } from '../identity/provider.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Reason } from '../policy/reason.ts';
import { createFormReader, type ReadForm } from './form-body.ts';
import { own, type Visit } from './visit.ts';

/** Longest body, in bytes: one token, percent-encoded, and a few words around it. */
export const MAX_LOGOUT_BODY_BYTES = 3 * MAX_LOGOUT_TOKEN_CHARS + 1_024;
/** Bodies that are read at once; beyond it 503. Each holds a connection, and at most so many bytes. */
export const MAX_LOGOUT_READS = 500;
/** Of these, from one client: or else one that sends slowly would keep the provider out. */
export const MAX_LOGOUT_READS_BY_ADDRESS = 10;
/** A provider's server sends the few bytes at once. */
const READ_MS = 2_000;
/** Verified at once, for all providers; beyond it 503. A signature costs some 100 µs, and anyone may ask for one. */
export const MAX_LOGOUTS_AT_ONCE = 50;

/** When a logout that failed by our fault may be tried again. */
const AGAIN_SECONDS = 10;

/** The verifiers, by the name in the path: the first provider's is ''. */
export type BackChannel = ReadonlyMap<string, LogoutTokens>;

type Refused = {
  readonly status: 400 | 503;
  readonly reason: Reason;
  readonly detail: string;
  /** The token may be sent again, in so many seconds. */
  readonly againInSeconds?: number;
};

/** Returns the verifiers of these providers, the first of which is the main one. `used` is for all of them. */
export function createBackChannel(
  providers: readonly Provider[],
  options: { readonly now: () => number; readonly used?: Map<string, number> },
): BackChannel {
  const toEntry = (provider: Provider, index: number) => {
    const { name, issuer, clientId, keys } = provider;
    return [
      index === 0 ? '' : name,
      createLogoutTokens({ ...options, issuer, clientId, keys }),
    ] as const;
  };
  return new Map(providers.map(toEntry));
}

/** Returns what answers the posts: 200, or 400 with an error, section 2.8. */
export function backChannelLogout(backChannel: BackChannel, sessions: Sessions) {
  const read = createFormReader({
    maxBytes: MAX_LOGOUT_BODY_BYTES,
    timeoutMs: READ_MS,
    maxAtOnce: MAX_LOGOUT_READS,
    maxByAddress: MAX_LOGOUT_READS_BY_ADDRESS,
  });
  let underWay = 0;

  async function judge(req: Request, tokens: LogoutTokens | undefined) {
    if (tokens === undefined) return invalid('no such provider');
    const token = await readToken(req, read);
    if ('status' in token) return token;
    // Here and not before, so that whoever sends slowly takes none of these places.
    if (underWay >= MAX_LOGOUTS_AT_ONCE) return busy('too many are verified at once');
    underWay++;
    try {
      return await logOut(token.text, tokens, sessions);
    } finally {
      underWay--;
    }
  }

  return async (visit: Visit, name: string): Promise<void> => {
    const refused = await judge(visit.req, backChannel.get(name));
    if (refused !== undefined) return refuse(visit, refused);
    // Whose sessions ended is told by the sessions, each as an event of its own.
    visit.tell(own());
    visit.res.set('Cache-Control', 'no-store').status(200).end();
  };
}

/** Refuses a post to a host that is not ours. */
export function refuseLogout(visit: Visit): void {
  const detail = 'not one of our hosts';
  refuse(visit, { status: 400, reason: 'host-not-allowed', detail });
}

async function logOut(
  text: string,
  tokens: LogoutTokens,
  sessions: Sessions,
): Promise<Refused | undefined> {
  try {
    const named = await tokens.verify(text);
    if ('refused' in named) return { status: 400, reason: named.refused, detail: named.detail };
    await endNamed(named, tokens, sessions);
    return undefined;
  } catch (error) {
    return failed(error);
  }
}

// One that could not be done can be sent again.
async function endNamed(
  named: LogoutNamed,
  tokens: LogoutTokens,
  sessions: Sessions,
): Promise<void> {
  try {
    const { jti: _jti, ...whose } = named;
    await sessions.endNamed(whose);
  } catch (error) {
    tokens.forget(named);
    throw error;
  }
}

// Section 2.8: 400 also when the logout failed. What a provider makes of another status is unknown; the body says that
// it can send the same token again. Where it is our store that can't be written, the sessions are dead here already.
function failed(error: unknown): Refused {
  if (!(error instanceof Fault)) throw error;
  const isStore = error.code === 'ERR_SESSION_STORE';
  const reason = isStore ? 'session-store-unavailable' : 'provider-unavailable';
  return { status: 400, reason, detail: explain(error), againInSeconds: AGAIN_SECONDS };
}

async function readToken(req: Request, read: ReadForm): Promise<{ text: string } | Refused> {
  // As Caddy gives it; without it we would not be here.
  const form = await read(req, req.get('X-Forwarded-For') ?? '');
  if (form === 'busy') return busy('too many are read at once, in all or from this address');
  if (form === undefined) return invalid('the body is no form, too long, or too slow');
  const [text, ...more] = form.getAll('logout_token');
  if (text === undefined || text === '') return invalid('there is no logout_token');
  return more.length > 0 ? invalid('there are two logout_tokens') : { text };
}

const INVALID = {
  error: 'invalid_request',
  error_description: 'The logout token was not accepted.',
};
const UNAVAILABLE = {
  error: 'temporarily_unavailable',
  error_description: 'The logout could not be done now; the same token can be sent again.',
};

function busy(detail: string): Refused {
  return { status: 503, reason: 'request-invalid', detail, againInSeconds: 1 };
}

function invalid(detail: string): Refused {
  return { status: 400, reason: 'request-invalid', detail };
}

// The public answer says little; the row and the log get the reason.
function refuse(
  { req, res, tell }: Visit,
  { status, reason, detail, againInSeconds }: Refused,
): void {
  tell({ decision: 'deny', reason, detail });
  res.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
  if (!req.complete) res.set('Connection', 'close');
  if (againInSeconds !== undefined) res.set('Retry-After', String(againInSeconds));
  const body = againInSeconds === undefined ? INVALID : UNAVAILABLE;
  res.status(status).type('json').end(JSON.stringify(body));
}
