// Whether a variant does what it must, looked at before it is loaded: a broken one is often fast.
import type { SEEN } from './edge-caddyfiles.ts';
import { isGuarded, type EdgeName, type Variant } from './edge-variants.ts';
import { AGENT, PERSON, type World } from './edge-world.ts';

type Seen = Readonly<Record<keyof typeof SEEN, string>>;

/** The answer to whom an edge does not know: Signet's for a program, oauth2-proxy's for anyone. */
const REFUSED: Partial<Record<EdgeName, number>> = { O: 302, off: 401, on: 401 };

/** Returns the name of the user that this variant's client is. */
export function userOf({ credential }: Variant): string {
  return credential === 'bearer' ? AGENT : PERSON;
}

/** Returns the header line with another value, as long as before. */
export function spoiled(line: string): string {
  return `${line.slice(0, -12)}${'x'.repeat(12)}`;
}

/** Sends the variant a request of each kind; returns what was not as it must be, or undefined. */
export async function findFault(
  world: World,
  variant: Variant,
  credential: string,
): Promise<string | undefined> {
  const get = (headers: readonly string[]) =>
    world.requests.ask(variant.edge, variant.protocol === 'h2', '/seen', headers);
  const { status, body } = await get([credential]);
  if (status !== 200) return `answered ${status} in place of 200`;
  const wrong = wrongAtApp(variant, JSON.parse(body) as Seen);
  if (wrong !== undefined || !isGuarded(variant)) return wrong;
  for (const [headers, who] of [
    [[], 'without a credential'],
    [[spoiled(credential)], 'with a spoiled credential'],
  ] as const) {
    const refused = await get(headers);
    if (refused.status !== REFUSED[variant.edge]) return `answered ${refused.status} ${who}`;
  }
  return undefined;
}

function wrongAtApp(variant: Variant, seen: Seen): string | undefined {
  const { edge } = variant;
  const user = edge === 'O' ? seen.proxyUser : seen.user;
  const expected = edge === 'none' ? '' : userOf(variant);
  if (user !== expected) return `the app saw the user "${user}" in place of "${expected}"`;
  if (['none', 'L1', 'L1log', 'O'].includes(edge)) return undefined;
  if (!seen.traceparent.startsWith('00-')) return 'the app saw no traceparent';
  if (!seen.baggage.includes(`user.id=${userOf(variant)}`)) return 'the app saw no baggage';
  if (seen.cookie !== '' || seen.stamp !== '') return 'the app saw the session or the stamp';
  return undefined;
}
