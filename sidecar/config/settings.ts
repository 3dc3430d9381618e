// Judges settings by the schema and says what is wrong in terms of where it was written. What holds
// is returned beside the mistakes, so that the later checks can find theirs in the same run.
import type { z } from 'zod';
import { parseDuration } from './address.ts';
import { nearest, type Report } from './errors.ts';
import { described, shown, shownList, soundsSecret } from './shown.ts';
import { type SchemaNode, SETTINGS, type Settings, settingsJsonSchema } from './schema.ts';

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

/** Texts that are refused in the file, and where the secret belongs instead. */
const KEPT_OUT: Readonly<Record<string, string>> = {
  client_secret: 'client_secret_file, SIGNET_CLIENT_SECRET or SIGNET_CLIENT_SECRET_FILE',
  gate_key: 'gate_key_file, SIGNET_GATE_KEY or SIGNET_GATE_KEY_FILE',
  keys: 'keys_file, SIGNET_KEYS or SIGNET_KEYS_FILE',
  store: 'store_file, or SIGNET_AUDIT_STORE or SIGNET_SESSION_STORE (also with _FILE)',
  token: "token_file, or the profile's variable (LIGHTSTEP_ACCESS_TOKEN …) or its _FILE",
  client_key: 'client_key_file',
  headers: 'headers_file or OTEL_EXPORTER_OTLP_HEADERS',
};

/**
 * Returns the settings that hold, with defaults for the others, and reports each that does not.
 * `place` names where a path was written.
 */
export function checkSettings(
  raw: unknown,
  place: (path: string) => string,
  report: Report,
): Settings {
  const schema = settingsJsonSchema();
  let result = SETTINGS.safeParse(raw, { reportInput: true });
  for (const issue of oneEach(result.error)) reportIssue(issue, schema, place, report);
  let rest: unknown = structuredClone(raw);
  // What an issue is about is taken out, until the rest holds; the empty settings always do.
  while (!result.success) {
    for (const issue of oneEach(result.error)) rest = without(rest, issue);
    result = SETTINGS.safeParse(rest);
  }
  return result.data;
}

/** One value may break several rules: that is one mistake, and one thing to take out. */
function oneEach(error: z.core.$ZodError | undefined): Issue[] {
  const issues = error?.issues ?? [];
  const keys = issues.map(({ code, path }) => `${pathText(path)} ${code === 'unrecognized_keys'}`);
  return issues.filter((_, at) => keys.indexOf(keys[at] ?? '') === at);
}

function reportIssue(
  issue: Issue,
  schema: SchemaNode,
  place: (path: string) => string,
  report: Report,
): void {
  const node = nodeAt(schema, issue.path);
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) reportUnknownKey([...issue.path, key], node, place, report);
    return;
  }
  const mend = mendOf(issue, node);
  const setting = pathText(issue.path);
  report({
    where: place(setting),
    setting,
    read: readAs(issue),
    allowed: allowedAt(node),
    ...(mend !== undefined && { mend }),
  });
}

function mendOf(issue: Issue, node: SchemaNode | undefined): string | undefined {
  const { input } = issue;
  if (node?.kind === 'duration') {
    const inSeconds = `${String(input)}s`;
    const isNumber = parseDuration(inSeconds) !== undefined && /\d$/.test(String(input));
    return isNumber ? `write ${inSeconds}, or with another unit: ms, m, h or d` : undefined;
  }
  const isScalar = typeof input === 'number' || typeof input === 'boolean';
  const isText = issue.code === 'invalid_type' && issue.expected === 'string';
  return isText && isScalar ? 'put it in quotes' : undefined;
}

function readAs(issue: Exclude<Issue, { code: 'unrecognized_keys' }>): string {
  const { input } = issue;
  if (input === undefined || input === null) return 'nothing';
  const isSection = issue.code === 'invalid_type' && issue.expected === 'object';
  if (!isSection) return shownIn(issue);
  // It may well be the secret that a file in this section should hold.
  const kind = typeof input === 'string' ? 'text' : typeof input;
  return `a ${Array.isArray(input) ? 'list' : kind} in place of a section`;
}

// What stands in place of a file's name may be what the file should hold.
function shownIn({ input, code, path }: Exclude<Issue, { code: 'unrecognized_keys' }>): string {
  const key = String(path.at(-1));
  const isSecret = path.at(-2) === 'parameters' && soundsSecret(key);
  if (isSecret || key.endsWith('_file')) return described(input);
  const isRightKind = code === 'custom' || code === 'too_small';
  return isRightKind && Array.isArray(input) ? shownList(input) : shown(input);
}

function reportUnknownKey(
  path: Path,
  parent: SchemaNode | undefined,
  place: (path: string) => string,
  report: Report,
): void {
  const key = String(path.at(-1));
  // One that is no word may be a line of headers, or a token without its key.
  const isWord = /^[\w.-]{1,40}$/.test(key);
  const told = isWord ? shown(key) : described(key);
  const setting = pathText(isWord ? path : path.slice(0, -1));
  const where = place(setting);
  const kept = Object.hasOwn(KEPT_OUT, key) ? KEPT_OUT[key] : undefined;
  if (kept !== undefined) {
    const mend = `give it by ${kept}; take it out of the file, and change it at its source`;
    return report({
      where,
      setting,
      read: 'a secret in the text',
      allowed: 'no secrets in this file',
      mend,
    });
  }
  const known = Object.keys(parent?.properties ?? {});
  const read = `an unknown key: ${told}`;
  const mend = `the nearest known one is ${nearest(key, known)}`;
  report({ where, setting, read, allowed: known.join(', '), mend });
}

function allowedAt(node: SchemaNode | undefined): string {
  const words = node?.enum ?? node?.items?.enum;
  const description = node?.description ?? 'a text that is not empty';
  return words === undefined ? description : `${description}: ${words.join(', ')}`;
}

/** An element's description is its list's, unless it has its own. */
function nodeAt(schema: SchemaNode, path: Path): SchemaNode | undefined {
  let node: SchemaNode | undefined = {
    description: 'settings, one `key: value` a line',
    ...schema,
  };
  for (const step of path) {
    const parent: SchemaNode | undefined = node;
    node = typeof step === 'number' ? parent?.items : parent?.properties?.[String(step)];
    if (typeof step === 'number' && parent?.description !== undefined && node !== undefined) {
      node = { description: `an element of ${parent.description}`, ...node };
    }
  }
  return node;
}

/** Returns the value without what the issue is about; without its parent if that part is gone already. */
function without(root: unknown, issue: Issue): unknown {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.reduce((rest, key) => withoutPath(rest, [...issue.path, key]), root);
  }
  return withoutPath(root, issue.path);
}

function withoutPath(root: unknown, path: Path): unknown {
  const last = path.at(-1);
  if (last === undefined) return {};
  const parent = valueAt(root, path.slice(0, -1));
  if (!isObject(parent)) return root; // an earlier issue took the parent out
  if (!Object.hasOwn(parent, last)) return withoutPath(root, path.slice(0, -1));
  // In a list this leaves a hole: all other elements keep their index.
  delete parent[last];
  return root;
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, step) => (isObject(at) ? at[step] : undefined), root);
}

/** Returns whether this is an object or a list, to look into. */
export function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === 'object' && value !== null;
}

function pathText(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
}
