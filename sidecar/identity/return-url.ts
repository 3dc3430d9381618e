// Where a browser may be sent after signing in or out: somewhere on the same host, and nowhere else.

/** Longest URL that is kept through a sign-in: its sealed cookie must stay below 4,096 bytes. */
export const MAX_RETURN_CHARS = 2_048;

const VISIBLE_ASCII = /^[!-~]+$/;
const FORBIDDEN = /[\\\p{Cc}\p{Zl}\p{Zp}]/u;
// Slashes in UTF-8 that is too long to be any, byte by byte: some decode it all the same.
const OVERLONG = /\xc0[\xaf\x2f]|\xc1\x9c|\xe0\x80\xaf|\xe0\x81\x9c/;
const ESCAPE = /%[0-9a-f]{2}/gi;
// All but `/.signet/hand-over`, which the central host's sign-in comes back to, and `signed-out`.
const OWN_ACTION =
  /^\/\.signet\/(?:login|logout|accept|(?:callback|back-channel-logout)(?:\/[^/]*)?)\/*$/i;
// Only an origin to resolve against; nothing is ever sent there.
const NOWHERE = 'https://signet.invalid';

/**
 * Returns the text when it is a path (with query and fragment) on the same host, else `/`. It must be
 * so as it stands, and after percent-decoding once and twice: somebody on the way may decode it.
 */
export function safeReturnUrl(text: string): string {
  if (text.length > MAX_RETURN_CHARS || !VISIBLE_ASCII.test(text)) return '/';
  const once = decode(text);
  const twice = decode(once);
  if (OVERLONG.test(once) || OVERLONG.test(twice)) return '/';
  return [text, asUtf8(once), asUtf8(twice)].every(isLocalPath) ? text : '/';
}

/**
 * Returns the path that starts a sign-in, at the provider of this name, and comes back to `returnTo`, which is
 * checked there. One that is too long to be kept is `/` here already: the path itself would be too long for a server.
 */
export function signInPath(returnTo: string, prompt?: 'login', idp?: string): string {
  const back = returnTo.length > MAX_RETURN_CHARS ? '/' : returnTo;
  const prompted = prompt === undefined ? '' : `prompt=${prompt}&`;
  const named = idp === undefined ? '' : `idp=${encodeURIComponent(idp.toWellFormed())}&`;
  return `/.signet/login?${prompted}${named}return=${encodeURIComponent(back.toWellFormed())}`;
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

// Decodes what can be decoded, to bytes, one a character: a lone `%` does not hide what stands beside it, nor does a
// byte that becomes UTF-8 only together with one that is decoded later (`%EF%25BC%8F`).
function decode(text: string): string {
  return text.replace(ESCAPE, (escape) =>
    String.fromCharCode(Number.parseInt(escape.slice(1), 16)),
  );
}

function asUtf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
