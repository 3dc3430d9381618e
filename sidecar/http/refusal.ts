// What a person is told when a sign-in was refused, or can't be judged now.
import { explain, Fault } from '../fault.ts';
import type { HandOver } from '../identity/hand-over.ts';
import type { Login } from '../identity/login.ts';
import type { SignInReason } from '../identity/reason.ts';
import { safeReturnUrl } from '../identity/return-url.ts';
import type { Reason } from '../policy/reason.ts';
import { sendPage } from './page.ts';
import { sendProblem } from './problem.ts';
import { returnOf, type SignInOutcome, type Visit } from './visit.ts';

/** Who can say where a sign-in under way was to lead. */
export type Leading = {
  readonly login: Pick<Login, 'returnTo'>;
  readonly handOver: Pick<HandOver, 'returnTo'> | undefined;
};

/** Refuses a sign-in, with a page that says why. */
export function refuse(
  visit: Visit,
  refusal: { refused: SignInReason; detail: string; returnTo?: string },
  status: number,
): void {
  const { refused: reason, detail } = refusal;
  visit.tell({ decision: 'deny', reason, detail, events: failed(reason) });
  const returnTo = safeReturnUrl(refusal.returnTo ?? returnOf(visit, '/'));
  const { req, res, place, pages, lang } = visit;
  const { requestId, scheme, host } = place;
  // Of a callback's path; shown only where the provider refused it.
  const redirectUri = `${scheme}://${host}${req.path}`;
  const content = { reason, detail, requestId, returnTo, redirectUri };
  sendPage(res, status, pages.signInFailed(lang, content));
}

/** Answers 503 where the provider or the store has failed; throws what is neither. */
export function unavailable(visit: Visit, leading: Leading, error: unknown): void {
  if (!(error instanceof Fault)) throw error;
  const { req, res, place, pages, lang } = visit;
  const isStore = error.code === 'ERR_SESSION_STORE';
  const reason = isStore ? 'session-store-unavailable' : 'provider-unavailable';
  const events = isSignIn(req.path) ? failed(reason) : undefined;
  visit.tell({ decision: 'deny', reason, detail: explain(error), ...(events && { events }) });
  res.set('Retry-After', '10');
  const { requestId } = place;
  if (req.path === '/.signet/me') return sendProblem(res, { ...UNCHECKABLE, requestId });
  const why = isStore ? 'store' : 'provider';
  const returnTo = leadsTo(visit, leading);
  sendPage(res, 503, pages.signInUnavailable(lang, { why, requestId, returnTo }));
}

const UNCHECKABLE = {
  status: 503,
  title: 'Who you are cannot be checked right now',
  detail: 'Nothing is wrong with your request; try again shortly.',
};

// A callback has no `return`; where it was to lead lies sealed in the browser.
function leadsTo(visit: Visit, { login, handOver }: Leading): string {
  const { req, place, rawQuery, query } = visit;
  if (req.path === '/.signet/accept') {
    return handOver?.returnTo(place, query.get('code') ?? '') ?? '/';
  }
  return returnOf(visit, login.returnTo({ ...place, query: rawQuery }));
}

function isSignIn(path: string): boolean {
  return /^\/\.signet\/(?:login|callback|hand-over|accept)(?:\/|$)/.test(path);
}

function failed(reason: Reason): NonNullable<SignInOutcome['events']> {
  return [{ event: 'sign-in-failed', details: { reason } }];
}
