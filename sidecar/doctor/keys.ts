// The public keys of an issuer: how many of them this client can verify signatures with, and by which
// algorithms. Asks nobody.
import { importJWK, type JWK } from 'jose';
import { ALGORITHMS } from '../identity/algorithms.ts';
import { sortKeys } from '../identity/usable-keys.ts';
import { type Line, quoted, warning, well, wrong } from './line.ts';

/** More than this are not looked at; providers have two to four. */
const MAX_KEYS = 100;

/** What a key without `alg` can be used for. */
const BY_TYPE: Readonly<Record<string, string>> = {
  RSA: 'RS256',
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'EdDSA',
};

/** Returns the line about a key set, as it was fetched; `allowed` are the algorithms that are trusted. */
export async function judgeKeys(
  name: string,
  set: unknown,
  allowed: readonly string[] = ALGORITHMS,
): Promise<Line> {
  const { keys } = Object(set) as { keys?: unknown };
  if (!Array.isArray(keys)) {
    return wrong(name, 'what stands at its jwks_uri is no key set', 'look at the provider');
  }
  const looked = (keys as unknown[]).slice(0, MAX_KEYS).map((key) => Object(key) as JWK);
  if (looked.some(({ d, kty }) => d !== undefined || kty === 'oct')) {
    const seen = 'a secret key stands among the public ones: anybody can sign by it';
    return wrong(name, seen, 'tell whoever runs the provider at once');
  }
  const { usable, unusable } = await sortKeys(looked);
  const found = await Promise.all(usable.keys.map((key) => algorithmOf(key, allowed)));
  const algorithms = found.filter((algorithm) => algorithm !== undefined);
  if (algorithms.length === 0) {
    const seen = `of ${keys.length} keys none verifies ${quoted(allowed.join(', '))}`;
    return wrong(name, seen, 'have the provider sign by one of these, or allow its own');
  }
  const told = `${algorithms.length} of ${keys.length} can be used: ${countsText(algorithms)}`;
  if (unusable !== undefined) {
    const mend = 'have the provider mend or remove them: tokens that name them are refused';
    return warning(name, `${told}; malformed: ${unusable}`, mend);
  }
  return keys.length > MAX_KEYS
    ? warning(name, `${told}; only the first ${MAX_KEYS} were looked at`, 'look at the provider')
    : well(name, told);
}

// The algorithm that it is for; undefined where it can't be used here.
async function algorithmOf(key: JWK, allowed: readonly string[]): Promise<string | undefined> {
  const algorithm = key.alg ?? BY_TYPE[key.crv ?? key.kty ?? ''] ?? '';
  const isFor = key.use === undefined || key.use === 'sig';
  if (!isFor || !ALGORITHMS.includes(algorithm) || !isAllowed(key, algorithm, allowed)) {
    return undefined;
  }
  try {
    await importJWK(key, algorithm);
    return key.alg ?? (key.kty === 'RSA' ? 'RSA' : algorithm);
  } catch {
    return undefined;
  }
}

// An RSA key that names no algorithm serves all of its kind.
function isAllowed({ alg, kty }: JWK, algorithm: string, allowed: readonly string[]): boolean {
  const isOpen = alg === undefined && kty === 'RSA';
  return allowed.includes(algorithm) || (isOpen && allowed.some((one) => /^[RP]S/.test(one)));
}

function countsText(algorithms: readonly string[]): string {
  const names = [...new Set(algorithms)];
  const count = (name: string) => algorithms.filter((one) => one === name).length;
  return names.map((name) => (count(name) > 1 ? `${name} (${count(name)})` : name)).join(', ');
}
