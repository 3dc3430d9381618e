// Each provider and issuer of the settings, asked by the ways that the sidecar asks it: what it says of itself,
// its keys, its clock.
import type { BearerIssuer } from '../identity/bearer-issuer.ts';
import { createBoundedFetch, type Fetch } from '../identity/bounded-fetch.ts';
import { discover as discoverProvider } from '../identity/discover.ts';
import { discover, endpointIn, fetchJson, type Metadata } from '../identity/metadata.ts';
import { explain } from '../fault.ts';
import { discoveryUrlOf, judge } from '../setup/discovery.ts';
import { judgeClock, type Timed } from './clock.ts';
import { judgeKeys } from './keys.ts';
import { type Line, notLookedAt, quoted, well, wrong } from './line.ts';

/** An issuer of the settings. */
export type Issuer = {
  readonly name: string;
  readonly issuer: string;
  /** Of one that people sign in at; one without is trusted for bearer tokens only. */
  readonly clientId?: string;
  /** Default: all that public keys can verify. */
  readonly algorithms?: readonly string[];
  /** Its tokens are opaque, and it is asked about them. */
  readonly isIntrospected?: boolean;
};

type Person = { readonly name: string; readonly issuer: string; readonly clientId: string };

/** Returns all issuers of a configuration, each once: one for people may issue bearer tokens, too. */
export function issuersOf(
  providers: readonly Person[],
  bearer: readonly BearerIssuer[],
): readonly Issuer[] {
  const known = new Set(providers.map(({ issuer }) => issuer));
  const others = bearer.filter(({ issuer }) => !known.has(issuer));
  return [
    ...providers.map(({ name, issuer, clientId }) => ({ name, issuer, clientId })),
    ...others.map(({ name, issuer, algorithms, introspection }) => ({
      ...{ name, issuer, isIntrospected: introspection !== undefined },
      ...(algorithms && { algorithms }),
    })),
  ];
}

export type Looked = {
  readonly lines: readonly Line[];
  /** Where people are sent to sign in; undefined where it could not be asked. */
  readonly endpoint?: string;
};

const MEND =
  'can this machine reach it, and is `issuer` written exactly as it writes itself? A proxy or firewall between?';

/** Returns what there is to say of an issuer. Never rejects. `now` is in milliseconds since the epoch. */
export async function lookAtIssuer(
  issuer: Issuer,
  now: () => number,
  inner: Fetch = fetch,
): Promise<Looked> {
  const timed: Timed[] = [];
  const bounded = createBoundedFetch(noting(inner, now, timed));
  const name = `${issuer.clientId === undefined ? 'bearer' : 'provider'} ${issuer.name}`;
  try {
    const metadata = await metadataOf(issuer, bounded);
    const lines = [
      judgeMetadata(name, issuer, metadata),
      await lookAtKeys(`keys of ${issuer.name}`, issuer, metadata, bounded),
      ...clockLines(issuer, timed),
    ];
    const endpoint = metadata['authorization_endpoint'];
    return { lines, ...(typeof endpoint === 'string' && { endpoint }) };
  } catch (error) {
    return { lines: [wrong(name, sentenceOf(error, issuer), MEND), ...clockLines(issuer, timed)] };
  }
}

// The library's own words leave the status out, and the URL.
function sentenceOf(error: unknown, { issuer }: Issuer): string {
  const { cause } = Object(error) as { cause?: unknown };
  if (!(cause instanceof Response) || cause.status === 200) return explain(error);
  return `${discoveryUrlOf(issuer)} answered with status ${cause.status}`;
}

async function metadataOf({ issuer, clientId }: Issuer, bounded: Fetch): Promise<Metadata> {
  if (clientId === undefined) return discover(issuer, bounded);
  return { ...(await discoverProvider({ issuer, clientId, fetch: bounded })) };
}

function judgeMetadata(name: string, issuer: Issuer, metadata: Metadata): Line {
  const seen = `${quoted(issuer.issuer)} describes itself, under this very name`;
  if (issuer.isIntrospected && typeof metadata['introspection_endpoint'] !== 'string') {
    return wrong(name, 'it names no introspection_endpoint', 'take `introspection` away for it');
  }
  if (issuer.clientId === undefined) return well(name, seen);
  const { problems } = judge(issuer.issuer, metadata);
  if (problems.length === 0) return well(name, seen);
  return wrong(name, problems.join('; '), 'nobody can sign in there so: look at the provider');
}

async function lookAtKeys(
  name: string,
  { algorithms, isIntrospected }: Issuer,
  metadata: Metadata,
  bounded: Fetch,
): Promise<Line> {
  if (isIntrospected) return notLookedAt(name, 'it is asked about each of its tokens');
  try {
    const set = await fetchJson(endpointIn(metadata, 'jwks_uri'), bounded);
    return await judgeKeys(name, set, algorithms);
  } catch (error) {
    return wrong(name, explain(error), 'without its keys no token holds: look at the provider');
  }
}

// The first answer that says a time.
function clockLines({ name }: Issuer, timed: readonly Timed[]): Line[] {
  const first = timed.find(({ date }) => date !== undefined) ?? timed[0];
  return first === undefined ? [] : [judgeClock(`clock of ${name}`, `${name}'s clock`, first)];
}

function noting(inner: Fetch, now: () => number, timed: Timed[]): Fetch {
  return async (url, init) => {
    const sentAtMs = now();
    const response = await inner(url, init);
    const { headers } = response;
    const [date, age] = [headers.get('date') ?? undefined, headers.get('age') ?? undefined];
    timed.push({ sentAtMs, answeredAtMs: now(), date, age });
    return response;
  };
}
