// Which names in a Caddyfile announce a secret, and which values are one in plain text.
import type { Word } from './tree.ts';

export type SecretKind =
  | 'token'
  | 'password'
  | 'secret'
  | 'key'
  | 'authorization' // a header that is a credential
  | 'gate-key' // the key shared between Caddy and the sidecar
  | 'provider-token' // of a DNS provider, for certificates
  | 'url-password';

/** Names of the fields' own, by their last part. */
const ENDINGS: readonly [RegExp, SecretKind][] = [
  [/(?:^|[_-])(?:password|passwd|passphrase|pass)$/, 'password'],
  [/(?:^|[_-])(?:secret|secret_access_key|secret_key)$/, 'secret'],
  [/(?:^|[_-])tokens?$/, 'token'],
  [/(?:^|_)apikey$|[_-]key$/, 'key'],
];

/** Keys that lock nothing, or that only choose what others may see. */
const OPEN_KEYS =
  /(?:^|[_-])(?:public|cache|primary|lookup|sort|host|trusted|(?<!secret[_-])access|surrogate|site|partition|routing|idempotency)[_-]key$/;

const HEADERS = new Map<string, SecretKind>([
  ['authorization', 'authorization'],
  ['proxy-authorization', 'authorization'],
  ['x-api-key', 'authorization'],
  ['x-api-token', 'authorization'],
  ['x-auth-token', 'authorization'],
  ['x-auth-key', 'authorization'],
  ['x-vault-token', 'authorization'],
  ['private-token', 'authorization'],
  ['signet-key', 'gate-key'],
]);

/** Returns what kind of secret stands behind this name (`api_token`), if one does. */
export function kindOfName(name: string): SecretKind | undefined {
  const lower = name.toLowerCase();
  if (OPEN_KEYS.test(lower)) return undefined;
  return ENDINGS.find(([ending]) => ending.test(lower))?.[1];
}

/** Returns what kind of secret a header holds, if it holds one. */
export function kindOfHeader(name: string): SecretKind | undefined {
  return HEADERS.get(name.replace(/^[+>?]/, '').toLowerCase());
}

/** Words that choose, and say nothing. */
const CHOICES = [
  '',
  'on',
  'off',
  'true',
  'false',
  'none',
  'basic',
  'bearer',
  'digest',
  'negotiate',
];

/** Whether a value stands there in plain text: no placeholder, no pattern, no path, not from outside. */
export function isLiteral({ text, fromEnvironment }: Word): boolean {
  if (fromEnvironment || /[{}*]/.test(text) || /^(?:\.{0,2}|~)\//.test(text)) return false;
  return !CHOICES.includes(text.trim().toLowerCase());
}

/** Whether there is a URL in the text that holds a password, in linear time. */
export function hasUrlPassword({ text, fromEnvironment }: Word): boolean {
  if (fromEnvironment) return false;
  const authority = /[^\s/?#:@]*:([^\s/?#@]+)@/y;
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3)) {
    authority.lastIndex = at + 3;
    const password = authority.exec(text)?.[1];
    if (password !== undefined && !/[{}]/.test(password)) return true;
  }
  return false;
}
