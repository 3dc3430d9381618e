// The providers that people sign in at: what their presets bring, and what is written over it.
import { RESERVED_PARAMETERS } from '../identity/reserved-parameters.ts';
import type { Secret } from '../secret.ts';
import { baseOfPreset, claimNames, type ClaimsBase } from './claim-names.ts';
import type { ProviderConfig } from './config.ts';
import type { ConfigError } from './errors.ts';
import { isMissing, pathIn, type ProviderEntry, providerEntries } from './issuer-entries.ts';
import type { Reading } from './reading.ts';

type Needed = 'issuer' | 'clientId' | 'clientSecret';

/** A provider that may lack what has no default. */
export type ProviderParts = Omit<ProviderConfig, Needed | 'name'> &
  Partial<Pick<ProviderConfig, Needed>> & {
    readonly entry: ProviderEntry;
    readonly base: ClaimsBase;
  };

/** Beside `openid`, as those of presets. */
const USUAL_SCOPES = ['profile', 'email'];

/** Returns what there is of each provider, the one of the top level first; reports what of them is missing. */
export function readProviders(reading: Reading): ProviderParts[] {
  return providerEntries(reading).map((entry) => {
    checkPreset(entry, reading);
    return readProvider(entry, reading);
  });
}

function readProvider(entry: ProviderEntry, reading: Reading): ProviderParts {
  const { brings } = entry;
  const issuer = entry.issuer ?? brings.issuer;
  const { client_id: clientId, sign_out: signOut } = entry;
  const base = baseOfPreset(entry.preset, brings);
  const example = "the OpenID provider's URL, such as https://login.example.com";
  require(issuer, 'issuer', example, entry, reading);
  require(clientId, 'client_id', "the client's id, as the provider has it", entry, reading);
  const clientSecret = readClientSecret(entry, reading);
  return {
    ...{ entry, base, signOut },
    label: entry.label ?? labelOf(entry, issuer),
    scopes: entry.scopes ?? ['openid', ...(brings.scopes ?? USUAL_SCOPES)],
    names: claimNames(entry.claims, base),
    parameters: readParameters(entry, reading),
    ...(issuer !== undefined && { issuer }),
    ...(clientId !== undefined && { clientId }),
    ...(clientSecret && { clientSecret }),
  };
}

function labelOf({ preset, brings }: ProviderEntry, issuer = ''): string {
  const isPlain = preset === undefined || preset === 'oidc';
  return (isPlain && URL.parse(issuer)?.host) || brings.label;
}

function checkPreset({ preset, brings, path }: ProviderEntry, reading: Reading): void {
  if (preset === undefined || brings.forPeople) return;
  const setting = pathIn({ path }, 'preset');
  const read = `${preset}, where nobody signs in: its tokens are for workloads`;
  const mend = 'put it under `bearer`';
  const where = reading.place(setting);
  reading.report({ where, setting, read, allowed: 'a preset of a provider for people', mend });
}

function require(
  value: string | undefined,
  key: string,
  allowed: string,
  entry: ProviderEntry,
  reading: Reading,
): void {
  const path = pathIn(entry, key);
  if (!isMissing(value, path, reading)) return;
  const where = reading.missing(path) ?? reading.place(path);
  const mend = entry.path === '' ? 'set one of the two' : 'add it there';
  reading.report({ where, read: 'nothing', allowed, mend });
}

function readClientSecret(entry: ProviderEntry, reading: Reading): Secret | undefined | null {
  const isTop = entry.path === '';
  const path = pathIn(entry, 'client_secret_file');
  const names = isTop ? { variable: 'SIGNET_CLIENT_SECRET' } : {};
  const place = { ...names, file: entry.client_secret_file, where: reading.place(path) };
  const found = reading.findSecret(place);
  if (found === undefined && isMissing(undefined, path, reading)) reportNoSecret(entry, reading);
  return found && checkClientSecret(found.secret, found.where, reading);
}

function reportNoSecret(entry: ProviderEntry, { file, place, report }: Reading): void {
  const allowed = "the client's secret";
  if (entry.path !== '') {
    const where = place(pathIn(entry, 'client_secret_file'));
    return report({ where, read: 'nothing', allowed: `a file with ${allowed}` });
  }
  const variable = 'SIGNET_CLIENT_SECRET';
  const mend = `set it, or name a file by ${variable}_FILE or client_secret_file in ${file}`;
  report({ where: variable, read: 'nothing', allowed, mend });
}

/** Returns the secret, or null if no client can have it (RFC 6749, appendix A.2: every call would be refused). */
export function checkClientSecret(
  found: Secret,
  where: string,
  { report }: Reading,
): Secret | null {
  if (/^[\x20-\x7e]+$/.test(found.reveal())) return found;
  const read = 'a secret of several lines, or with characters that no secret has';
  report({ where, read, allowed: 'one line of printable ASCII' });
  return null;
}

function readParameters(entry: ProviderEntry, { place, report }: Reading): Record<string, string> {
  for (const [name, value] of Object.entries(entry.parameters)) {
    const wrong = problemOf(name, value);
    if (wrong === undefined) continue;
    const setting = pathIn(entry, 'parameters');
    report({ where: place(setting), setting, ...wrong });
  }
  const both = { ...entry.brings.parameters, ...entry.parameters };
  // An empty one takes away what the preset brings.
  return Object.fromEntries(Object.entries(both).filter(([, value]) => value !== ''));
}

type Wrong = Pick<ConfigError, 'read' | 'allowed' | 'mend'>;

function problemOf(name: string, value: string): Wrong | undefined {
  // Providers may not tell capitals apart.
  const known = name.toLowerCase();
  if (isName(name) && !RESERVED_PARAMETERS.has(known)) return problemOfPrompt(known, value);
  const read = isName(name) ? `${name}, which Signet sets itself` : 'a name that is none';
  const allowed = 'further parameters of the authorization request: letters, digits, _ and -';
  return { read, allowed, mend: 'take it away' };
}

// With it a provider asks nobody for anything: whoever has no session there is refused (OpenID Connect Core, 3.1.2.1).
function problemOfPrompt(name: string, value: string): Wrong | undefined {
  if (name !== 'prompt' || !value.toLowerCase().split(/\s+/).includes('none')) return undefined;
  const allowed = 'what the provider asks people for, such as login, consent or select_account';
  return { read: 'prompt: none, by which nobody could sign in', allowed, mend: 'take it away' };
}

function isName(name: string): boolean {
  return /^[\w-]{1,64}$/.test(name);
}
