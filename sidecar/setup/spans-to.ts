// Where spans are to go, as far as it can be said in one word: nowhere, a backend by its profile, or a
// collector's URL. Whatever needs more is added to signet.yaml.
import { isAllowedUrl } from '../identity/bounded-fetch.ts';
import { PROFILES } from '../otlp/profiles.ts';
import { type Parsed, refuse } from './parsed.ts';

export type SpansTo =
  | { readonly kind: 'none' }
  | { readonly kind: 'collector'; readonly endpoint: string }
  | { readonly kind: 'profile'; readonly profile: string; readonly needsToken: boolean };

/** Names of all profiles. */
export const PROFILE_NAMES: readonly string[] = Object.keys(PROFILES);

/** Profiles whose address is the same for every customer. */
const READY = Object.entries(PROFILES).flatMap(([name, { endpoints }]) =>
  Object.values(endpoints).some((endpoint) => endpoint.includes('<')) ? [] : [name],
);

const ALLOWED = `none, a collector's URL (https, or http on this machine), or one of ${READY.join(', ')}; others need an address of their own, in signet.yaml`;

/** Returns where spans go by `none`, a profile's name, or an URL of scheme, host and port. */
export function parseSpansTo(text: string): Parsed<SpansTo> {
  if (text === 'none') return { value: { kind: 'none' } };
  if (READY.includes(text)) {
    const needsToken = PROFILES[text]?.credential !== undefined;
    return { value: { kind: 'profile', profile: text, needsToken } };
  }
  const isPlain = /^https?:\/\/(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(text);
  const url = isPlain ? URL.parse(text) : null;
  if (url === null || !isAllowedUrl(url) || url.port === '0') return refuse(text, ALLOWED);
  return { value: { kind: 'collector', endpoint: text } };
}
