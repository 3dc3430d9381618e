// The environment: which variables are Signet's, and where in the settings each belongs. They win
// over the file. Values are not judged here, except that nothing may be misspelt or given twice.
import { nearest, type Report } from './errors.ts';
import { isObject } from './settings.ts';

/** What is needed of the world to read settings; a file that isn't there throws with code ENOENT. */
export type ConfigSources = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
  /** Relative paths are from here. */
  readonly cwd: string;
  readonly home: string;
  readonly isRoot: boolean;
  /** Returns what is wrong with the pages, by whoever makes them; default: nothing. */
  readonly pagesProblems?: (pages: PagesFiles) => readonly string[];
};

/** What the files say that `pages` names. */
export type PagesFiles = {
  readonly css?: string;
  /** Language (lower case, such as `de` or `pt-br`) → name of a text → text. */
  readonly texts?: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

/** The variables that are given: trimmed, and none that is empty. */
export type Given = ReadonlyMap<string, string>;

/** Where a variable goes: a path in the settings, as a text unless something else is said. */
type Target = {
  readonly path: string;
  /** `list` is split at commas. */
  readonly as?: 'list' | 'number';
};

const TARGETS: Readonly<Record<string, Target>> = {
  SIGNET_PRESET: { path: 'preset' },
  SIGNET_ISSUER: { path: 'issuer' },
  SIGNET_CLIENT_ID: { path: 'client_id' },
  SIGNET_HOSTS: { path: 'hosts', as: 'list' },
  SIGNET_AUDIENCE: { path: 'audiences', as: 'list' },
  SIGNET_TRACE_TRUST: { path: 'trace.trust' },
  OTEL_SERVICE_NAME: { path: 'service.name' },
  SIGNET_VERSION: { path: 'service.version' },
  SIGNET_ENVIRONMENT: { path: 'service.environment' },
  SIGNET_DEPLOYMENT: { path: 'service.deployment' },
  SIGNET_SAMPLING_RATIO: { path: 'sampling.ratio', as: 'number' },
  SIGNET_SOCKET: { path: 'listen' },
  SIGNET_LISTEN: { path: 'listen' },
  SIGNET_HEALTH: { path: 'health' },
  SIGNET_ACCESS_LOG: { path: 'access_log' },
  SIGNET_STATE: { path: 'state' },
  SIGNET_HEADS_FILE: { path: 'audit.heads_file' },
  SIGNET_CLIENT_ADDRESS: { path: 'privacy.client_address' },
  SIGNET_LOG_LEVEL: { path: 'log.level' },
};

/** Signet's own secrets: read when needed (secret-file.ts), each also as `…_FILE`, as the setting does. */
const SECRETS: Readonly<Record<string, string>> = {
  SIGNET_CLIENT_SECRET: 'client_secret_file',
  SIGNET_GATE_KEY: 'gate_key_file',
  SIGNET_KEYS: 'keys_file',
  SIGNET_AUDIT_STORE: 'audit.store_file',
  SIGNET_SESSION_STORE: 'session.store_file',
};

const KNOWN = [
  'SIGNET_CONFIG',
  'SIGNET_DESTINATION',
  ...Object.keys(TARGETS),
  ...Object.keys(SECRETS).flatMap((name) => [name, `${name}_FILE`]),
].filter((name) => name.startsWith('SIGNET_'));

/** The Caddyfile's, the local stack's, and what Kubernetes sets for a service called `signet…`. */
const OTHERS = [
  /^SIGNET_(HOST|UPSTREAM|LOCAL_\w+)$/,
  /^SIGNET_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)$/,
];

/** Returns the variables that are given; reports unknown ones of Signet's. */
export function readEnvironment(env: ConfigSources['env'], report: Report): Given {
  const trimmed = Object.entries(env).map(([name, value]) => [name, value?.trim() ?? ''] as const);
  const given: Given = new Map(trimmed.filter(([, value]) => value !== ''));
  for (const name of given.keys()) reportUnknown(name, report);
  return given;
}

function reportUnknown(name: string, report: Report): void {
  const isOurs = name.startsWith('SIGNET_') && !OTHERS.some((pattern) => pattern.test(name));
  if (!isOurs || KNOWN.includes(name)) return;
  const mend = `the nearest known one is ${nearest(name, KNOWN)}`;
  report({ where: name, read: 'an unknown variable', allowed: "Signet's own variables", mend });
}

/** The file's settings with the environment's over them, and which variable set which path. */
export type Overlaid = {
  readonly raw: unknown;
  readonly origins: ReadonlyMap<string, string>;
  /** Resource attributes that are no setting of their own. */
  readonly attributes: Readonly<Record<string, string>>;
};

const ATTRIBUTE_PATHS: Readonly<Record<string, string>> = {
  'service.name': 'service.name',
  'service.version': 'service.version',
  'deployment.environment.name': 'service.environment',
  'deployment.id': 'service.deployment',
};

/** Returns what the file said with the environment laid over it. */
export function overlayEnvironment(file: unknown, given: Given, report: Report): Overlaid {
  const raw: unknown = structuredClone(file);
  const origins = new Map<string, string>();
  const put = (path: string, value: unknown, variable: string) => {
    origins.set(path, variable);
    if (isObject(raw)) setAt(raw, path.split('.'), value);
  };
  const attributes = readAttributes(given, report);
  for (const [name, path] of Object.entries(ATTRIBUTE_PATHS)) {
    if (attributes[name] !== undefined) put(path, attributes[name], 'OTEL_RESOURCE_ATTRIBUTES');
    delete attributes[name];
  }
  for (const [variable, { path, as }] of Object.entries(TARGETS)) {
    const value = given.get(variable);
    if (value !== undefined) put(path, converted(value, as), variable);
  }
  return { raw, origins, attributes };
}

function converted(value: string, as: Target['as']): unknown {
  if (as === 'list') return splitList(value);
  // What is no number stays as it is: the schema's message shows it.
  return as === 'number' && /^\d*\.?\d+$/.test(value) ? Number(value) : value;
}

function readAttributes(given: Given, report: Report): Record<string, string> {
  const where = 'OTEL_RESOURCE_ATTRIBUTES';
  const pairs = parsePairs(given.get(where) ?? '');
  if (pairs === undefined) report({ where, allowed: 'name=value,name=value, percent-encoded' });
  return Object.fromEntries(pairs ?? []);
}

/** Returns the names that a path of the settings has: its variable's, if it has one, and its own. */
export function namesOf(path: string, file: string): string {
  const variable = Object.entries(TARGETS).find(([, target]) => target.path === path)?.[0];
  return variable === undefined ? `${file}: ${path}` : `${variable} (or ${path} in ${file})`;
}

/** Returns the variables that a path of the settings may be given by. */
export function variablesOf(path: string): string[] {
  const plain = Object.keys(TARGETS).filter((name) => TARGETS[name]?.path === path);
  const secret = Object.keys(SECRETS).filter((name) => SECRETS[name] === path);
  return [...plain, ...secret.flatMap((name) => [name, `${name}_FILE`])];
}

/** Returns a list's items, trimmed, without empty ones. */
export function splitList(text: string): string[] {
  const items = text.split(',').map((item) => item.trim());
  return items.filter((item) => item !== '');
}

/** Returns the pairs of `a=b,c=d`, percent-decoded (OpenTelemetry's W3C Baggage form), or undefined. */
export function parsePairs(text: string): [string, string][] | undefined {
  const pairs: [string, string][] = [];
  for (const item of splitList(text)) {
    const equals = item.indexOf('=');
    if (equals < 1) return undefined;
    try {
      const value = decodeURIComponent(item.slice(equals + 1).trim());
      pairs.push([decodeURIComponent(item.slice(0, equals).trim()), value]);
    } catch {
      return undefined;
    }
  }
  return pairs;
}

/** Sets a value deep in an object; where a scalar stands in the way, the schema will say so. */
function setAt(root: Record<PropertyKey, unknown>, path: string[], value: unknown): void {
  let at = root;
  for (const step of path.slice(0, -1)) {
    at[step] ??= {};
    const next = at[step];
    if (!isObject(next)) return;
    at = next;
  }
  at[path.at(-1) ?? ''] = value;
}
