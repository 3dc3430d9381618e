// The lines of `signet config` that are about who is let in, and about what is kept where.
import { join, resolve } from 'node:path';
import type { Listen } from './config.ts';
import { KEYS_FILE } from './keys.ts';
import { byDefault, byVariable, type Origin, originOf } from './provenance.ts';
import { tellClaims, tellFurther, tellMain } from './told-issuers.ts';
import type { Telling, ToldSetting } from './told-setting.ts';

/** Returns the lines about people and services, and how they prove who they are. */
export function tellIdentity(telling: Telling): ToldSetting[] {
  const { parts, tell } = telling;
  const [main] = parts.issuers.providers;
  return [
    ...tellMain(telling),
    ...tell({ setting: 'hosts', value: parts.hosts }),
    ...tellFurther(telling),
    ...(main === undefined ? [] : tellClaims(main, telling)),
    ...tellSession(telling),
    ...tell({ setting: 'trace.trust', value: parts.trace.trust }),
  ];
}

function tellSession({ parts, reading, tell, tellSecret }: Telling): ToldSetting[] {
  const { session, pages } = reading.settings;
  return [
    ...tell({ setting: 'session.idle', value: session.idle }),
    ...tell({ setting: 'session.absolute', value: session.absolute }),
    ...tell({ setting: 'session.recheck', value: session.recheck }),
    ...tellSecret({
      setting: 'session.store_file',
      variable: 'SIGNET_SESSION_STORE',
      path: 'session.store_file',
      file: session.store_file,
    }),
    ...tell({ setting: 'session.domain', value: session.domain?.toLowerCase() }),
    ...tell({ setting: 'session.sign_in_host', value: session.sign_in_host?.toLowerCase() }),
    ...tell({ setting: 'assertion.issuer', value: parts.assertion?.issuer }),
    ...tellFile('pages.css_file', pages.css_file),
    ...tellFile('pages.texts_file', pages.texts_file),
  ];

  function tellFile(setting: string, name: string | undefined): ToldSetting[] {
    return tell({ setting, value: name && resolve(reading.sources.cwd, name) });
  }
}

/** Returns the lines about where Signet listens, what it writes and reads there, and for how long. */
export function tellKeeping(telling: Telling): ToldSetting[] {
  const { parts, reading, tell, tellSecret } = telling;
  const { settings, sources } = reading;
  const own = byDefault('in the state folder');
  const forRoot = byDefault('for root');
  const orInState = (path: string) => originOf(path, reading, sources.isRoot ? forRoot : own);
  return [
    ...tell({ setting: 'listen', value: addressOf(parts.listen), origin: orInState('listen') }),
    ...tellSecret({
      setting: 'gate_key_file',
      variable: 'SIGNET_GATE_KEY',
      path: 'gate_key_file',
      file: settings.gate_key_file,
    }),
    ...tell({ setting: 'health', value: addressOf(parts.health) }),
    ...tell({
      setting: 'access_log',
      value: parts.accessLog,
      origin: orInState('access_log'),
    }),
    ...tell({
      setting: 'state',
      value: parts.stateFolder,
      origin: originOf('state', reading, stateByDefault(telling)),
    }),
    ...tellKeys(telling, own),
    ...tellSecret({
      setting: 'audit.store_file',
      variable: 'SIGNET_AUDIT_STORE',
      path: 'audit.store_file',
      file: settings.audit.store_file,
    }),
    ...tell({
      setting: 'audit.heads_file',
      value: parts.headsFile,
      origin: originOf('audit.heads_file', reading, own),
    }),
    ...tell({ setting: 'retention.rows', value: settings.retention.rows }),
    ...tell({ setting: 'retention.undelivered', value: settings.retention.undelivered }),
    ...tell({ setting: 'redact_query', value: parts.redactQuery }),
    ...tell({ setting: 'privacy.client_address', value: parts.clientAddress }),
    ...tell({ setting: 'log.level', value: parts.logLevel }),
  ];
}

function tellKeys({ parts, reading, tell, tellSecret }: Telling, own: Origin): ToldSetting[] {
  const setting = 'keys_file';
  const given = tellSecret({
    setting,
    variable: 'SIGNET_KEYS',
    path: setting,
    file: reading.settings.keys_file,
  });
  if (given.length > 0) return given;
  const origin = originOf(setting, reading, own);
  return tell({ setting, value: join(parts.stateFolder, KEYS_FILE), origin });
}

// In the order of `findPlaces`.
function stateByDefault({ reading: { sources } }: Telling): Origin {
  if (sources.env['STATE_DIRECTORY']) return byVariable('STATE_DIRECTORY');
  if (sources.isRoot) return byDefault('for root');
  if (sources.env['XDG_STATE_HOME']) return byVariable('XDG_STATE_HOME');
  return byDefault('in the home folder');
}

function addressOf(at: Listen | { host: string; port: number } | undefined): string | undefined {
  if (at === undefined) return undefined;
  if ('socket' in at) return at.socket;
  return `${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.port}`;
}
