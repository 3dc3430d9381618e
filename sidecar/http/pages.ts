// The few pages that people see of Signet: plain HTML without script, for a reader in a hurry. Every
// value is text. Decides nothing.
import { createHash } from 'node:crypto';
import type { SignInReason } from '../identity/reason.ts';
import { signInPath } from '../identity/return-url.ts';

const STYLE = `
:root{color-scheme:light dark;--ink:#1c2024;--soft:#5c656e;--paper:#f6f7f8;--card:#fff;--line:#dde1e5;--accent:#1f5fbf}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a2abb5;--paper:#15181b;--card:#1d2125;--line:#343a40;--accent:#7eb0ff}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}
main{width:100%;max-width:34rem;padding:2.25rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;overflow-wrap:anywhere}
h1{margin:0 0 .75rem;font-size:1.4rem;line-height:1.25}
p{margin:0 0 .9rem}
.actions{margin:1.5rem 0 0;display:flex;flex-wrap:wrap;gap:.75rem}
.action{display:inline-block;padding:.55rem 1rem;border:1px solid var(--accent);border-radius:.45rem;background:none;color:var(--accent);font:inherit;text-decoration:none;cursor:pointer}
.action:hover{text-decoration:underline}
.action:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
footer{margin-top:1.75rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.875rem}
code{font-family:ui-monospace,monospace}
`;

const styleHash = createHash('sha256').update(STYLE).digest('base64');

/** The headers of every page. `same-origin`, because a form posts without an `Origin` under `no-referrer`. */
export function pageHeaders(referrer: 'no-referrer' | 'same-origin' = 'no-referrer') {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': referrer,
  };
}

/** What a person can do next: follow a link, or post a form. Both stay on this host. */
export type PageAction = { readonly label: string; readonly href: string; readonly post?: true };

export type PageContent = {
  readonly title: string;
  readonly paragraphs: readonly string[];
  readonly actions?: readonly PageAction[];
  /** The id to quote to whoever runs this. */
  readonly requestId?: string | undefined;
};

/** Returns a whole HTML document. All of the content is text. */
export function page({ title, paragraphs, actions = [], requestId }: PageContent): string {
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    ...paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`),
    actions.length > 0 ? `<div class="actions">${actions.map(actionHtml).join('')}</div>` : '',
    requestId ? `<footer>Request id: <code>${escapeHtml(requestId)}</code></footer>` : '',
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body.filter((part) => part !== '').join('\n')}
</main>
</body>
</html>
`;
}

/** Returns the page for a caller who is known and not allowed. */
export function forbiddenPage(content: {
  identity: { user: string; name?: string };
  /** What it takes, as `inWords` says it: `have the role admin`. */
  requirementInWords: string;
  requestId: string;
  returnTo: string;
}): string {
  const { user, name } = content.identity;
  const who = name === undefined || name === user ? user : `${name} (${user})`;
  return page({
    title: 'You don’t have access to this page',
    paragraphs: [
      `You are signed in as ${who}.`,
      `To see this page you need to ${content.requirementInWords}.`,
      'If you think that you should have access, ask whoever runs this site, and quote the request id below.',
    ],
    actions: [
      { label: 'Sign in as someone else', href: signInPath(content.returnTo, 'login') },
      { label: 'Sign out', href: '/.signet/logout' },
    ],
    requestId: content.requestId,
  });
}

/** Returns a page that says in one sentence what is wrong. */
export function problemPage(content: {
  title: string;
  text: string;
  requestId?: string | undefined;
}): string {
  const { title, text, requestId } = content;
  return page({ title, paragraphs: [text], requestId });
}

/** Returns the page for a sign-in that was refused. `detail` may be the provider's own words. */
export function signInFailedPage(content: {
  reason: SignInReason;
  detail?: string | undefined;
  requestId?: string | undefined;
  returnTo: string;
}): string {
  const { reason, detail, requestId, returnTo } = content;
  const said = reason === 'provider-refused' && detail ? [`It said: ${detail}`] : [];
  const retry = { label: 'Try again', href: signInPath(returnTo) };
  return page({
    title: reason === 'sign-in-loop' ? 'You keep being sent to sign in' : 'You are not signed in',
    paragraphs: [signInAdvice(reason), ...said],
    actions: reason === 'host-not-allowed' ? [] : [retry],
    requestId,
  });
}

/** Returns the page shown while nobody can sign in. */
export function signInUnavailablePage(content: {
  why: string;
  requestId?: string | undefined;
  returnTo: string;
}): string {
  return page({
    title: 'Signing in is not possible right now',
    paragraphs: [
      content.why,
      'Whoever is signed in already can go on working. Please try again in a minute.',
    ],
    actions: [{ label: 'Try again', href: signInPath(content.returnTo) }],
    requestId: content.requestId,
  });
}

/** Returns the page after signing out. */
export function signedOutPage(): string {
  return page({
    title: 'You are signed out',
    paragraphs: [
      'Your session on this site has ended. You may still be signed in at your identity provider.',
    ],
    actions: [{ label: 'Sign in again', href: signInPath('/', 'login') }],
  });
}

/** Returns the page that asks first, because another site sent the browser here. */
export function confirmSignOutPage(returnTo: string): string {
  const href = `/.signet/logout?return=${encodeURIComponent(returnTo)}`;
  return page({
    title: 'Do you want to sign out?',
    paragraphs: ['A link on another site brought you here.'],
    actions: [
      { label: 'Sign out', href, post: true },
      { label: 'Stay signed in', href: '/' },
    ],
  });
}

const CONTACT = 'If it happens again, quote the request id below to whoever runs this site.';

/** One sentence or two that a person can act on. */
function signInAdvice(reason: SignInReason): string {
  switch (reason) {
    case 'state-missing':
      return 'This browser has no sign-in under way. It may block cookies, or you began in another browser. Allow cookies for this site, and start again.';
    case 'state-mismatch':
      return 'This answer belongs to another sign-in: of another tab, browser or site. Start again from the page that you wanted.';
    case 'state-used':
      return 'This sign-in was finished already, perhaps by going back or reloading. Start again if you are not signed in.';
    case 'state-expired':
      return 'Signing in took longer than ten minutes, and has expired. Start again.';
    case 'provider-refused':
      return 'Your identity provider did not sign you in.';
    case 'sign-in-loop':
      return 'You signed in several times within seconds, and this site did not recognise you afterwards. Your browser may block cookies for this site, or the clocks of two servers may disagree. Allow cookies, then try again.';
    case 'host-not-allowed':
      return 'Nobody can sign in under this address. Use the site’s usual address.';
    case 'id-token-expired':
    case 'id-token-not-yet-valid':
      return `Your identity provider’s answer was not valid at this time. Start again. ${CONTACT}`;
    case 'code-refused':
      return `Your identity provider did not confirm the sign-in. Start again. ${CONTACT}`;
    case 'issuer-mismatch':
    case 'id-token-signature':
    case 'id-token-algorithm':
    case 'id-token-issuer':
    case 'id-token-audience':
    case 'id-token-nonce':
    case 'id-token-claims':
    case 'userinfo-invalid':
      return `The answer of your identity provider could not be trusted. Start again. ${CONTACT}`;
  }
}

function actionHtml({ label, href, post }: PageAction): string {
  const to = escapeHtml(href);
  const text = escapeHtml(label);
  return post
    ? `<form method="post" action="${to}"><button class="action">${text}</button></form>`
    : `<a class="action" href="${to}">${text}</a>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char);
}
