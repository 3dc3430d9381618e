// Who says what stands in a header when the request comes to a place: the client, the gate, or somebody else. Pure.
import { type Handler, recordAt, textsAt } from './adapted.ts';
import { readPattern } from './pattern.ts';

/**
 * `client`: may be the client's own; `either`: that, or the gate's, as the request came; `absent`: deleted; `gate`: as the gate answered, or absent; `lost`: deleted after
 * the gate had set it; `filtered`: the client's, but for what is dangerous in it; `uuid`: Caddy's id of the request;
 * `other`: set from something else.
 */
export type Says = 'client' | 'either' | 'absent' | 'gate' | 'lost' | 'filtered' | 'uuid' | 'other';

/** The headers that tell an app who is calling. */
export const IDENTITY_HEADERS = [
  'remote-user',
  'remote-name',
  'remote-email',
  'remote-groups',
  'remote-team',
  'remote-user-type',
] as const;

/** Of a name that apps read as an identity's (GHSA-49wc-4hcv-v58q), and of what else is Signet's. */
export const ALIASES = ['remote.user', 'signet-assertion', 'signet.assertion'] as const;

const FOLLOWED = [
  ...IDENTITY_HEADERS,
  ...ALIASES,
  'x-forwarded-uri',
  'x-forwarded-method',
  'x-request-id',
  'connection',
  'upgrade',
  'cookie',
] as const;

/** A header that is followed. */
export type Followed = (typeof FOLLOWED)[number];

/** What is said in each, by its name. */
export type Headers = Readonly<Record<Followed, Says>>;

/** What a request brings. */
export const OF_CLIENT = sameFor('client');

function sameFor(says: Says): Headers {
  return Object.fromEntries(FOLLOWED.map((name) => [name, says])) as Record<Followed, Says>;
}

/** Returns what is said where a request comes by either way. */
export function joinHeaders(one: Headers, other: Headers): Headers {
  return mapHeaders((name) => joinSays(one[name], other[name]));
}

/** From what must be feared most to what is as it should be. */
const WORST_FIRST: readonly Says[] = [
  'either',
  'client',
  'other',
  'lost',
  'filtered',
  'gate',
  'uuid',
  'absent',
];

function joinSays(one: Says, other: Says): Says {
  const both = [one, other];
  if (both.includes('client') && both.includes('gate')) return 'either';
  return WORST_FIRST.find((says) => says === one || says === other) ?? 'client';
}

/** Returns whether an answer of the gate's is at hand that surely has this header. */
export type Brought = (header: string, into: Followed) => boolean;

const BY_NOBODY: Brought = () => false;

/** Returns what is said after operations on the request's headers (`headers` handler, `header_up`). */
export function applyOps(before: Headers, ops: unknown, brought: Brought = BY_NOBODY): Headers {
  const { add, set, replace, delete: deleted } = recordAt(ops);
  const deletes = textsAt(deleted).map((name) => name.toLowerCase());
  const values = [...Object.entries(recordAt(add)), ...Object.entries(recordAt(set))].map(
    ([name, value]) => [name.toLowerCase(), textsAt(value)] as const,
  );
  const replaced = Object.entries(recordAt(replace)).map(
    ([name, how]) => [name.toLowerCase(), how] as const,
  );
  // In Caddy's order: add, set, delete, replace.
  return mapHeaders((name) => {
    let says = before[name];
    for (const [set, value] of values)
      if (set === name || set.includes('{')) says = saysOf(name, value, brought);
    if (deletes.some((pattern) => namesHeader(pattern, name))) says = afterDelete(says);
    for (const [other, how] of replaced)
      if (namesHeader(other, name)) says = afterReplace(name, how, says);
    return says;
  });
}

function mapHeaders(says: (name: Followed) => Says): Headers {
  return Object.fromEntries(FOLLOWED.map((name) => [name, says(name)])) as Record<Followed, Says>;
}

function saysOf(name: Followed, values: readonly string[], brought: Brought): Says {
  const [value = ''] = values;
  if (value === '{http.request.uuid}') return 'uuid';
  const [, header] = /^\{http\.reverse_proxy\.header\.([^{}]+)\}$/.exec(value) ?? [];
  return header !== undefined && brought(header.toLowerCase(), name) ? 'gate' : 'other';
}

function afterDelete(says: Says): Says {
  return ['gate', 'either', 'lost'].includes(says) ? 'lost' : 'absent';
}

// The app's own cookies stay, whatever is taken out of them.
function afterReplace(name: Followed, how: unknown, says: Says): Says {
  if (name === 'cookie') return takesSessionOut(how) ? 'filtered' : says;
  return says === 'absent' ? says : 'other';
}

/** Signet's cookies as a client may send them, sign-in's and those of a parent domain among them. */
const SESSIONS = [
  '__Host-signet=secret',
  'a=1; __Host-signet=secret; c=2',
  'a=1;__Host-signet-login-x=secret',
  '__Secure-signet=secret; __Host-signet=secret',
];

// Tried, because a pattern can be written in many ways.
function takesSessionOut(how: unknown): boolean {
  const steps = Array.isArray(how) ? how.map(recordAt) : [];
  return SESSIONS.every((cookie) => !/signet|secret/.test(steps.reduce(replaceIn, cookie)));
}

function replaceIn(text: string, step: Readonly<Record<string, unknown>>): string {
  const { search_regexp: pattern, replace } = step;
  const regexp = typeof pattern === 'string' ? readPattern(pattern, 'g') : undefined;
  return regexp ? text.replace(regexp, typeof replace === 'string' ? replace : '') : text;
}

/** Returns whether an operation's name means this header (Caddy 2.11: `*` before, behind or on both sides). */
export function namesHeader(pattern: string, name: string): boolean {
  const inner = pattern.replace(/^\*|\*$/g, '');
  const [before, behind] = [pattern.startsWith('*'), pattern.endsWith('*') && pattern !== ''];
  if (before && behind) return name.includes(inner);
  if (before) return name.endsWith(inner);
  return behind ? name.startsWith(inner) : name === pattern;
}

/** Returns whether the handler takes Remote-* and Signet-* off the answer, when it has come. */
export function cleansAnswer(handler: Handler): boolean {
  const response = recordAt(handler['response']);
  const names = textsAt(response['delete']).map((name) => name.toLowerCase());
  const isClean = ['remote-user', 'signet-stamp'].every((name) =>
    names.some((pattern) => namesHeader(pattern, name)),
  );
  return response['deferred'] === true && isClean;
}
