// Which settings have changed since the last start, told without telling what they are.
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Config } from './config.ts';

/** Hex digits of a fingerprint: enough that no change goes by unseen. */
const DIGITS = 16;

/**
 * Returns each setting's name and a short keyed hash of its value, secrets by their value too; a setting
 * that isn't given is not there. Without the key nobody can try out what a value is; under another
 * key all of them differ. Of a file that a setting names, the path counts and not what is in it.
 */
export function fingerprint(config: Config, key: KeyObject): Record<string, string> {
  // A key of its own: what was handed in signs or seals elsewhere.
  const own = createSecretKey(
    Buffer.from(hkdfSync('sha256', key, '', 'signet configuration v1', 32)),
  );
  const given = Object.entries(settingsOf(config)).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, hashOf(own, name, value)]));
}

/** Parts of the config by the names of their settings: the first provider is several of them. */
function settingsOf(whole: Config): Record<string, unknown> {
  const { warnings: _, providers, ...config } = whole;
  const [main, ...further] = providers;
  const { clientId: client_id, clientSecret: client_secret, names: claims, ...rest } = main;
  const { signOut: sign_out, ...own } = rest;
  const others = Object.entries(config).map(([name, value]) => [
    settingOf(name as keyof Config),
    value,
  ]);
  return {
    ...Object.fromEntries(others),
    ...{ ...own, client_id, client_secret, claims, sign_out },
    ...(further.length > 0 && { providers: further }),
  };
}

/** What is called otherwise in signet.yaml. */
const SETTINGS: Partial<Record<keyof Config, string>> = {
  sessionStore: 'session.store_file',
  resource: 'service',
  accessLog: 'access_log',
  stateFolder: 'state',
  auditStore: 'audit.store_file',
  headsFile: 'audit.heads_file',
  redactQuery: 'redact_query',
  clientAddress: 'privacy.client_address',
  logLevel: 'log.level',
  keys: 'keys_file',
};

/** Returns the setting of signet.yaml that a part of the config comes from; the providers have several. */
export function settingOf(name: keyof Config): string {
  return SETTINGS[name] ?? name;
}

// The name is hashed, too: two settings with one value must not show that they have.
function hashOf(key: KeyObject, name: string, value: unknown): string {
  const text = JSON.stringify([name, canonical(value)]);
  return createHmac('sha256', key).update(text).digest('hex').slice(0, DIGITS);
}

/** The same value, whatever the order in which it was written; a secret laid open, and marked. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  if ('reveal' in value && typeof value.reveal === 'function') return { secret: value.reveal() };
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, part]) => [name, canonical(part)]));
}
