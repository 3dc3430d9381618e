// Where a browser may be sent after signing in or out: somewhere on the same host, and nowhere else.

/** Longest URL that is kept through a sign-in: its sealed cookie must stay below 4,096 bytes. */
export const MAX_RETURN_CHARS = 2_048;

const VISIBLE_ASCII = /^[!-~]+$/;
const FORBIDDEN = /[\\\p{Cc}\p{Zl}\p{Zp}]/u;
const ESCAPES = /(?:%[0-9a-f]{2})+/gi;
const OWN_ACTION = /^\/\.signet\/(?:login|callback|logout)\/*$/i;
// Only an origin to resolve against; nothing is ever sent there.
const NOWHERE = 'https://signet.invalid';

/**
 * Returns the text when it is a path (with query and fragment) on the same host, else `/`. It must be
 * so as it stands, and after percent-decoding once and twice: somebody on the way may decode it.
 */
export function safeReturnUrl(text: string): string {
  if (text.length > MAX_RETURN_CHARS || !VISIBLE_ASCII.test(text)) return '/';
  const once = decode(text);
  return [text, once, decode(once)].every(isLocalPath) ? text : '/';
}

/** Returns the path that starts a sign-in and comes back to `returnTo`, which is checked there. */
export function signInPath(returnTo: string, prompt?: 'login'): string {
  const asked = prompt === undefined ? '' : `prompt=${prompt}&`;
  return `/.signet/login?${asked}return=${encodeURIComponent(returnTo.toWellFormed())}`;
}

function isLocalPath(text: string): boolean {
  // NFKC: a full-width solidus is a slash to whoever normalises before parsing.
  const plain = text.normalize('NFKC');
  if (!plain.startsWith('/') || plain.startsWith('//') || FORBIDDEN.test(plain)) return false;
  if (!URL.canParse(plain, NOWHERE)) return false;
  const { origin, pathname } = new URL(plain, NOWHERE);
  // Dot segments may leave `//` at the front; our own sign-in and sign-out are no place to come back to.
  return origin === NOWHERE && !pathname.startsWith('//') && !OWN_ACTION.test(pathname);
}

// Decodes what can be decoded: a lone `%` does not hide what stands beside it.
function decode(text: string): string {
  return text.replace(ESCAPES, (escapes) =>
    Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}
