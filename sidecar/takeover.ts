// What changes when another configuration takes over from the one that holds: which settings are others, and
// which of them a running sidecar can't change. Pure.
import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config/config.ts';
import type { ReadFile } from './config/load-watched.ts';
import { fingerprint, settingOf } from './config/fingerprint.ts';
import { deriveKeys, type KeyRing } from './config/keys.ts';
import { signingKeys } from './audit/signing-key.ts';
import { Fault } from './fault.ts';

/** What a running sidecar can't change: where it is, and where its evidence is. */
const FIXED = [
  'listen',
  'health',
  'accessLog',
  'stateFolder',
  'auditStore',
  'sessionStore',
  'headsFile',
] as const satisfies (keyof Config)[];

export type Takeover = {
  /** The new one, with the old one's where nothing can be changed. */
  readonly config: Config;
  /** Names of the settings that are others now; `keys` for the key ring, `certificates` for what is in them. */
  readonly changed: readonly string[];
  /** Names of those that hold from the next start on. */
  readonly waits: readonly string[];
  /** Sentences about sessions that are open, and not what a sign-in would be now. */
  readonly sessions: readonly string[];
};

/** A configuration with its key ring, and the files that it names. */
export type Whole = {
  readonly config: Config;
  readonly ring: KeyRing;
  readonly files: ReadonlyMap<string, Pick<ReadFile, 'hash'>>;
};

/**
 * Returns what comes of taking over.
 * @throws {Fault} ERR_KEYS if the new key ring lacks the key that has sealed until now.
 */
export function takeOver(from: Whole, to: Whole): Takeover {
  const [key] = deriveKeys(from.ring, 'chain');
  const others = othersOf(fingerprint(from.config, key), fingerprint(to.config, key));
  const waiting = FIXED.filter(
    (name) => others.includes(settingOf(name)) && !isSameAddress(name, from, to),
  );
  const kept = Object.fromEntries(waiting.map((name) => [name, from.config[name]]));
  const waits = waiting.map(settingOf);
  // The ring is told of by itself.
  const told = [...waits, settingOf('keys')];
  return {
    config: withKept(to.config, kept),
    changed: [
      ...others.filter((setting) => !told.includes(setting)),
      ...(isOtherRing(from.ring, to.ring) ? ['keys'] : []),
      ...(hasOtherCertificates(from, to) ? ['certificates'] : []),
    ],
    waits,
    sessions: toldOfSessions(from.config, to.config),
  };
}

// Claims aren't kept: nobody but the provider can say what another mapping makes of them.
function toldOfSessions({ providers: before }: Config, { providers: after, session }: Config) {
  return before.flatMap(({ name, issuer, names }) => {
    const still = after.find((one) => one.name === name && one.issuer === issuer);
    if (still !== undefined && isDeepStrictEqual(still.names, names)) return [];
    const kept = `keep what was mapped at their sign-in (user, team, roles, type) ${until(session)}`;
    const refused = 'are refused while it is not configured, and go on when it is again';
    const mend = `signet sessions revoke --all --issuer ${issuer} ends them`;
    return [`open sessions of ${name} (${issuer}) ${still ? kept : refused}; ${mend}`];
  });
}

function until({ recheckMs, absoluteMs }: Config['session']): string {
  const end = `until they end (session.absolute: ${absoluteMs / 1000} s)`;
  if (recheckMs === undefined) return end;
  const asked = `until the provider is asked again (session.recheck: ${recheckMs / 1000} s)`;
  return `${asked}, and without a refresh token ${end}`;
}

/** Returns the settings that are others, in one or the other. */
function othersOf(before: Record<string, string>, after: Record<string, string>): string[] {
  const names = Object.keys({ ...before, ...after });
  return names.filter((name) => before[name] !== after[name]);
}

// One that is not there any more is kept as well; one that is new and fixed waits.
function withKept(to: Config, kept: Partial<Config>): Config {
  const given = Object.entries({ ...to, ...kept }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Config;
}

// The key that Caddy shows over TCP can change; the address can't.
function isSameAddress(name: (typeof FIXED)[number], from: Whole, to: Whole): boolean {
  const [before, after] = [from.config.listen, to.config.listen];
  if (name !== 'listen' || !('port' in before) || !('port' in after)) return false;
  return before.port === after.port && before.host === after.host;
}

// Connections are made with them, and last: whoever sends has to begin again. Tokens are read for each call.
function hasOtherCertificates(from: Whole, { config, files }: Whole): boolean {
  const paths = config.destinations.flatMap(
    ({ certificateFile, clientCertificateFile, clientKeyFile }) =>
      [certificateFile, clientCertificateFile, clientKeyFile].filter((path) => path !== undefined),
  );
  return paths.some(
    (path) => from.files.has(path) && from.files.get(path)?.hash !== files.get(path)?.hash,
  );
}

function isOtherRing(from: KeyRing, to: KeyRing): boolean {
  const [before, after] = [idsOf(from), idsOf(to)];
  if (!after.includes(before[0] ?? '')) {
    const mend =
      'put it back, behind the new one, for as long as a line of the log may be sealed by it';
    throw new Fault('ERR_KEYS', `the key ring lacks the key that has sealed until now; ${mend}`);
  }
  return before.join() !== after.join();
}

/** Returns the ids of a ring's keys, the sealing one first; they are public. */
export function idsOf(ring: KeyRing): string[] {
  return signingKeys(deriveKeys(ring, 'chain')).map(({ id }) => id);
}
