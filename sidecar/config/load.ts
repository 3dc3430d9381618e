// From environment and file to one `Config`. All mistakes are found in one run, and told at once.
// Touches nothing but the files that it is told to read, by the `readFile` that it is handed.
import { Fault } from '../fault.ts';
import type { Secret } from '../secret.ts';
import { parseDuration, parseHostPort } from './address.ts';
import type { Config, Retention } from './config.ts';
import { readDestinations } from './destinations.ts';
import type { ConfigSources } from './environment.ts';
import { type ConfigError, formatConfigErrors } from './errors.ts';
import { bearerOf, findAmbiguous, type Issuers, providersOf, readIssuers } from './issuers.ts';
import { parseKeys } from './keys.ts';
import { findPlaces, type Places, readListen } from './listen.ts';
import { findOverruled } from './overruled.ts';
import { readPages } from './pages.ts';
import { type Reading, readSources } from './reading.ts';
import { resourceOf } from './resource.ts';
import { readSampling } from './sampling.ts';
import { hostsOf, readAssertion, readCookie, readSession } from './session.ts';
import { findOwnRing, readAuditStore, readSessionStore } from './store-url.ts';

/** A config that holds, or why there is none: at least one mistake. */
export type Checked = { readonly config: Config } | { readonly errors: readonly ConfigError[] };

/**
 * Returns the config.
 * @throws {Fault} ERR_CONFIG; its message is the whole list, ready for a terminal. Exit code 78.
 */
export function loadConfig(sources: ConfigSources): Config {
  const checked = checkConfig(sources);
  if ('config' in checked) return checked.config;
  throw faultOf(checked.errors);
}

/** Returns the config, or every mistake. */
export function checkConfig(sources: ConfigSources): Checked {
  const { parts, errors } = examineConfig(sources);
  const config = assemble(parts);
  return errors.length === 0 && config !== undefined ? { config } : { errors };
}

/** What was read, the parts that a config is assembled of as far as they hold, and every mistake. */
export type Examined = {
  readonly reading: Reading;
  readonly parts: ConfigParts;
  readonly errors: readonly ConfigError[];
};

/** Returns all that is known of the settings, right or wrong: for telling them. */
export function examineConfig(sources: ConfigSources): Examined {
  const errors: ConfigError[] = [];
  const reading = readSources(sources, (error) => errors.push(error));
  return { reading, parts: readParts(reading), errors };
}

/** What commands that only read the record need. */
export type ReadPlaces = Places & {
  readonly auditStore?: Secret;
  readonly health: Config['health'];
};

/**
 * Returns where the record is, for commands that only read it: no other setting has to be there, or
 * right.
 * @throws {Fault} ERR_CONFIG if the file can't be understood, or one of these settings is wrong.
 */
export function loadPlaces(sources: ConfigSources): ReadPlaces {
  let errors: ConfigError[] = [];
  const reading = readSources(sources, (error) => errors.push(error));
  if (reading.readable) errors = errors.filter(isAboutPlaces);
  const auditStore = readAuditStore(reading);
  const health = parseHostPort(reading.settings.health);
  if (errors.length > 0 || !health) throw faultOf(errors);
  return { ...findPlaces(reading.settings, sources), health, ...(auditStore && { auditStore }) };
}

/** What commands need that look at sessions. */
export type SessionPlaces = Pick<Config, 'stateFolder' | 'sessionStore' | 'keys'> & {
  /** The file that the ring is given in, if it is one. */
  readonly keysFile?: string;
};

/**
 * Returns where sessions are, and the key ring if it is given; no other setting has to be there, or right.
 * @throws {Fault} ERR_CONFIG if the file can't be understood, or one of these settings is wrong.
 */
export function loadSessionPlaces(sources: ConfigSources): SessionPlaces {
  let errors: ConfigError[] = [];
  const reading = readSources(sources, (error) => errors.push(error));
  if (reading.readable) errors = errors.filter(({ setting = '' }) => ABOUT_SESSIONS.test(setting));
  const sessionStore = readSessionStore(reading);
  const keys = readGivenKeys(reading);
  if (errors.length > 0) throw faultOf(errors);
  const { stateFolder } = findPlaces(reading.settings, sources);
  return {
    stateFolder,
    ...(sessionStore && { sessionStore }),
    ...(keys && { keys: keys.secret }),
    ...(keys?.path !== undefined && { keysFile: keys.path }),
  };
}

const ABOUT_SESSIONS = /^(session(\.store_file)?|state|keys_file)$/;

/** Settings by which the record is found. To look elsewhere, and find nothing wrong there, would be worse. */
const ABOUT_PLACES = /^(audit|state|access_log|health)(\.|$)/;

function isAboutPlaces({ setting }: ConfigError): boolean {
  return setting !== undefined && ABOUT_PLACES.test(setting);
}

function faultOf(errors: readonly ConfigError[]): Fault {
  return new Fault('ERR_CONFIG', formatConfigErrors(errors));
}

/** A config that may lack what has no default. */
export type ConfigParts = Omit<Config, Needed> &
  Partial<Pick<Config, 'listen' | 'health'>> & { readonly issuers: Issuers };
type Needed = 'providers' | 'bearer' | 'listen' | 'health';

/** Every part is read before any is missed, so that all mistakes are reported. */
function readParts(reading: Reading): ConfigParts {
  const { settings, sources } = reading;
  const places = findPlaces(settings, sources);
  const issuers = readIssuers(reading);
  const signingIn = readSigningIn(reading, issuers);
  const listen = readListen(reading, places.stateFolder);
  const keys = readGivenKeys(reading);
  const auditStore = readAuditStore(reading);
  const health = parseHostPort(settings.health);
  return {
    ...{ ...places, issuers, ...signingIn },
    ...{ ...readDestinations(reading), sampling: readSampling(reading), ...convert(reading) },
    pages: readPages(reading, places.stateFolder),
    warnings: warningsOf(reading, issuers, signingIn.sessionStore),
    ...(listen && { listen }),
    ...(health && { health }),
    ...(keys && { keys: keys.secret }),
    ...(auditStore && { auditStore }),
  };
}

function warningsOf(reading: Reading, issuers: Issuers, sessionStore?: Secret): string[] {
  const ring = findOwnRing(reading, sessionStore);
  return [...findOverruled(reading), ...findAmbiguous(issuers), ...ring];
}

function readSigningIn(reading: Reading, { providers, bearer }: Issuers) {
  const issuers = [...providers, ...bearer].map(({ issuer }) => issuer);
  const assertion = readAssertion(reading, issuers);
  const sessionStore = readSessionStore(reading);
  return {
    session: readSession(reading),
    cookie: readCookie(reading),
    ...(assertion && { assertion }),
    ...(sessionStore && { sessionStore }),
  };
}

function assemble({ issuers, ...parts }: ConfigParts): Config | undefined {
  const { listen, health } = parts;
  const providers = providersOf(issuers);
  if (!providers || !listen || !health) return undefined;
  return { providers, bearer: bearerOf(issuers), ...parts, listen, health };
}

/** The settings that stand for themselves. */
function convert(reading: Reading) {
  const { settings } = reading;
  return {
    hosts: hostsOf(reading),
    trace: settings.trace,
    resource: resourceOf(reading),
    retention: readRetention(settings.retention),
    redactQuery: settings.redact_query,
    clientAddress: settings.privacy.client_address,
    logLevel: settings.log.level,
  };
}

function readRetention({ rows, undelivered }: Reading['settings']['retention']): Retention {
  const rowsMs = parseDuration(rows);
  const undeliveredMs = parseDuration(undelivered) ?? 0;
  return rowsMs === undefined ? { undeliveredMs } : { rowsMs, undeliveredMs };
}

/** Returns the key ring that is given, and the file that it stands in, if it does. */
function readGivenKeys({ settings, place, findSecret, report }: Reading) {
  const where = place('keys_file');
  const keys = findSecret({ variable: 'SIGNET_KEYS', file: settings.keys_file, where });
  const parsed = keys ? parseKeys(keys.secret.reveal()) : undefined;
  if (parsed && 'problem' in parsed) {
    const allowed = 'one key a line: base64 of at least 32 random bytes';
    const mend = 'make one with: openssl rand -base64 32';
    report({ where: 'SIGNET_KEYS (or its file)', read: parsed.problem, allowed, mend });
  }
  return keys ?? undefined;
}
