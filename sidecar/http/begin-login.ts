// GET /.signet/login: sends the browser to sign in, at a provider or at the host where everybody does; or straight
// back, if it is signed in already.
import type { HandOver } from '../identity/hand-over.ts';
import type { Identity } from '../identity/identity.ts';
import type { Login } from '../identity/login.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { sendPage } from './page.ts';
import { refuse } from './refusal.ts';
import { straightBack } from './straight-back.ts';
import { bySession, own, redirect, returnOf, type Visit } from './visit.ts';

export type BeginsLogin = {
  readonly login: Login;
  readonly sessions: Sessions;
  readonly handOver: HandOver | undefined;
};

/**
 * Begins a sign-in that comes back to `return`; `prompt=login` asks even who is known, `idp` names the provider.
 * Whoever is known by another one than that signs in there, too.
 */
export async function beginLogin(
  visit: Visit,
  { login, sessions, handOver }: BeginsLogin,
): Promise<void> {
  const { place, query } = visit;
  const returnTo = returnOf(visit, '/');
  const prompt = query.get('prompt') ?? undefined;
  const known = await bySession(place, sessions, visit.cookie);
  const idp = query.get('idp') ?? undefined;
  const isKnown = !('refused' in known) && (idp === undefined || known.provider === idp);
  if (prompt === undefined && isKnown) return goBack(visit, known, returnTo);
  const asked = { ...place, returnTo, prompt, idp };
  if (handOver !== undefined && !handOver.isCentral(place.host)) {
    return send(visit, handOver.begin(asked));
  }
  const begun = await login.beginLogin(asked);
  if ('choose' in begun) return choose(visit, begun.choose, returnTo, prompt);
  if (!('refused' in begun)) return send(visit, begun);
  visit.res.append('Set-Cookie', [...begun.setCookies]);
  refuse(visit, begun, begun.refused === 'sign-in-loop' ? 429 : 400);
}

function goBack(visit: Visit, known: Identity, returnTo: string): void {
  const { isLoop, setCookie } = straightBack(visit.place.cookies, returnTo);
  visit.res.append('Set-Cookie', setCookie);
  if (isLoop) return refuse(visit, LOOP, 429);
  visit.tell(own(known));
  redirect(visit, 302, returnTo);
}

const LOOP = {
  refused: 'sign-in-loop',
  detail:
    'signed in here, and sent to sign in again and again: is the cookie sent twice to that page?',
} as const;

function send(
  visit: Visit,
  { redirectTo, setCookies }: { redirectTo: string; setCookies: readonly string[] },
): void {
  visit.res.append('Set-Cookie', [...setCookies]);
  visit.tell(own());
  redirect(visit, 302, redirectTo);
}

function choose(
  visit: Visit,
  choices: readonly { name: string; label: string }[],
  returnTo: string,
  prompt: string | undefined,
): void {
  visit.tell(own());
  const asked = prompt === 'login' ? ({ prompt } as const) : {};
  const { res, pages, lang } = visit;
  sendPage(res, 200, pages.chooser(lang, { choices, returnTo, ...asked }));
}
