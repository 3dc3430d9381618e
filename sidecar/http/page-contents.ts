// What each page says and offers, in the words of one language. Pure: no markup, no headers, no decision.
import type { Identity } from '../identity/identity.ts';
import type { SignInReason } from '../identity/reason.ts';
import { signInPath } from '../identity/return-url.ts';
import type { Reason } from '../policy/reason.ts';
import type { Requirement } from '../policy/requirement.ts';
import type { PageAction, PageContent } from './page.ts';
import { requirementWords } from './requirement-words.ts';
import { adviceFor, operatorKey } from './sign-in-advice.ts';
import { fill, type Texts } from './texts.ts';

export type Content = Omit<PageContent, 'lang'>;

/** Shown below what is wrong, to be quoted. */
type Quoted = { readonly requestId?: string | undefined };

export type Forbidden = {
  readonly identity: Pick<Identity, 'user' | 'name'>;
  readonly requirement: Requirement;
  readonly reason: Reason;
  readonly requestId: string;
  readonly returnTo: string;
};

/** For a caller who is known and not allowed. */
export function forbidden(texts: Texts, content: Forbidden): Content {
  const { identity, requirement, reason, requestId, returnTo } = content;
  const { user, name } = identity;
  const who = name === undefined || name === user ? user : `${name} (${user})`;
  const isOverage = reason === 'groups-incomplete';
  const needed = { requirement: requirementWords(requirement, texts) };
  return {
    title: texts['forbidden.title'],
    paragraphs: [
      fill(texts['forbidden.who'], { user: who }),
      fill(texts['forbidden.requirement'], needed),
      isOverage ? texts['forbidden.overage'] : texts['forbidden.ask'],
    ],
    actions: [
      { label: texts['forbidden.other'], href: signInPath(returnTo, 'login') },
      { label: texts['sign-out'], href: '/.signet/logout' },
    ],
    asides: [
      ...(isOverage ? [forOperator(texts, texts['forbidden.overage.operator'])] : []),
      ...quoted(texts, requestId),
    ],
  };
}

/** `misconfigured`: the requirement can't be read. `uncheckable`: the provider or the store is down. */
export type Problem = Quoted & {
  readonly problem: 'misconfigured' | 'uncheckable' | 'foreign-sign-out';
};

/** Says what is the matter where nobody can do anything but wait or go. */
export function problem(texts: Texts, { problem: kind, requestId }: Problem): Content {
  const key = OPERATOR_KEYS[kind];
  const operator = key === undefined ? [] : [forOperator(texts, texts[key])];
  return {
    title: texts[`${kind}.title`],
    paragraphs: [texts[`${kind}.text`]],
    // The page stands where the one that was wanted would: an empty link leads there.
    actions: key === undefined ? [] : [{ label: texts['try-again'], href: '' }],
    asides: [...operator, ...quoted(texts, requestId)],
  };
}

/** What the operator is told; a sign-out that was not followed is nothing for them. */
const OPERATOR_KEYS = {
  misconfigured: 'misconfigured.operator',
  uncheckable: 'unavailable.operator',
  'foreign-sign-out': undefined,
} as const;

export type SignInFailed = Quoted & {
  readonly reason: SignInReason;
  /** May be the provider's own words; shown only where the provider has refused. */
  readonly detail?: string | undefined;
  readonly returnTo: string;
  /** What has to be registered at the provider, to be shown where it is not. */
  readonly redirectUri?: string | undefined;
};

/** For a sign-in that was refused. */
export function signInFailed(texts: Texts, content: SignInFailed): Content {
  const { reason, detail, requestId, returnTo } = content;
  const advice = adviceFor(reason);
  const said =
    advice === 'refused' && detail ? [fill(texts['failed.refused.said'], { detail })] : [];
  const retry = { label: texts['try-again'], href: signInPath(returnTo) };
  return {
    title: texts[`failed.${advice}.title`],
    paragraphs: [texts[`failed.${advice}.text`], ...said],
    actions: advice === 'host' ? [] : [retry],
    asides: [...operatorAdvice(texts, content), ...quoted(texts, requestId)],
  };
}

function operatorAdvice(texts: Texts, { reason, redirectUri }: SignInFailed) {
  if (reason === 'redirect-uri-refused' && redirectUri !== undefined) {
    return [forOperator(texts, texts['failed.redirect.operator.uri'], redirectUri)];
  }
  const key = operatorKey(adviceFor(reason));
  return key === undefined ? [] : [forOperator(texts, texts[key])];
}

export type SignInUnavailable = Quoted & {
  readonly why: 'provider' | 'store';
  readonly returnTo: string;
};

/** While nobody can sign in. */
export function signInUnavailable(texts: Texts, content: SignInUnavailable): Content {
  return {
    title: texts['unavailable.title'],
    paragraphs: [texts[`unavailable.${content.why}`], texts['unavailable.text']],
    actions: [{ label: texts['try-again'], href: signInPath(content.returnTo) }],
    asides: [
      forOperator(texts, texts['unavailable.operator']),
      ...quoted(texts, content.requestId),
    ],
  };
}

export type Chooser = {
  readonly choices: readonly { readonly name: string; readonly label: string }[];
  readonly returnTo: string;
  readonly prompt?: 'login' | undefined;
};

/** Where several providers sign people in. */
export function chooser(texts: Texts, { choices, returnTo, prompt }: Chooser): Content {
  const toAction = ({ name, label }: { name: string; label: string }): PageAction => ({
    label: fill(texts['chooser.action'], { label }),
    href: signInPath(returnTo, prompt, name),
  });
  return {
    title: texts['chooser.title'],
    paragraphs: [texts['chooser.text']],
    actions: choices.map(toAction),
    isChoice: true,
  };
}

/** In a window that was opened only to sign in. */
export function signedIn(texts: Texts): Content {
  return { title: texts['signed-in.title'], paragraphs: [texts['signed-in.text']] };
}

export type SignedOut = {
  /** The provider has ended its session, too. */
  readonly atProvider?: boolean;
  /** Where the provider can still be asked to. */
  readonly endHref?: string | undefined;
};

/** After signing out. */
export function signedOut(texts: Texts, { atProvider, endHref }: SignedOut = {}): Content {
  const again = { label: texts['signed-out.again'], href: signInPath('/', 'login') };
  const there =
    endHref === undefined ? [] : [{ label: texts['signed-out.provider'], href: endHref }];
  return {
    title: texts['signed-out.title'],
    paragraphs: [atProvider ? texts['signed-out.both'] : texts['signed-out.here']],
    actions: [again, ...there],
  };
}

/** After signing out, where the store of sessions doesn't know it yet. */
export function signedOutHere(
  texts: Texts,
  { endHref, requestId }: Pick<SignedOut, 'endHref'> & Quoted,
): Content {
  const there = { label: texts['signed-out.provider'], href: endHref ?? '' };
  return {
    title: texts['signed-out-here.title'],
    paragraphs: [texts['signed-out-here.text']],
    actions: endHref === undefined ? [] : [there],
    asides: [forOperator(texts, texts['unavailable.operator']), ...quoted(texts, requestId)],
  };
}

/**
 * Sends the browser on to the provider, which ends its own session. A page, because a browser applies `form-action` to
 * the redirects behind a form, too (Chromium does): a posted sign-out could not lead anywhere else.
 */
export function leaving(texts: Texts, { to }: { readonly to: string }): Content {
  return {
    title: texts['leaving.title'],
    paragraphs: [texts['leaving.text']],
    actions: [{ label: texts['leaving.action'], href: to }],
    goOnTo: to,
  };
}

/** Asks first, because another site sent the browser here. */
export function confirmSignOut(texts: Texts, { returnTo }: { readonly returnTo: string }): Content {
  const href = `/.signet/logout?return=${encodeURIComponent(returnTo)}`;
  return {
    title: texts['confirm-sign-out.title'],
    paragraphs: [texts['confirm-sign-out.text']],
    actions: [
      { label: texts['sign-out'], href, post: true },
      { label: texts['confirm-sign-out.stay'], href: '/' },
    ],
    referrer: 'same-origin',
  };
}

function forOperator(texts: Texts, advice: string, code?: string) {
  const text = fill(texts['for-operator'], { advice });
  return { text, ...(code !== undefined && { code }) };
}

function quoted(texts: Texts, requestId: string | undefined) {
  return requestId === undefined ? [] : [{ text: texts['request-id'], code: requestId }];
}
