// signet.yaml as text: found, read and parsed. What it says is not judged here.
import { resolve } from 'node:path';
import { type Document, LineCounter } from 'yaml';
import { parseBounded } from './bounded-yaml.ts';
import type { ConfigSources, Given } from './environment.ts';
import type { Report } from './errors.ts';
import { reasonOf } from './secret-file.ts';
import { isObject } from './settings.ts';
import { offsetOf } from './settings-lines.ts';
import { shown } from './shown.ts';

/** The file's content as plain data. */
export type SettingsFile = {
  /** As the operator named it; for messages. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly isThere: boolean;
  readonly raw: unknown;
  /** False when it is there but can't be understood: then nothing can be called missing. */
  readonly readable: boolean;
  /** The line of a key or an element, such as `destinations[0].name`; undefined for what isn't written. */
  readonly lineOf: (path: string) => number | undefined;
};

/** What the file is called, unless SIGNET_CONFIG says something else. */
export const DEFAULT_NAME = 'signet.yaml';

/** Of signet.yaml; a long one has some 20 KB, and what is no settings at all is not parsed. */
export const MAX_SETTINGS_BYTES = 65_536;
/** Settings are not half as deep; an alias within what it stands for would be without end. */
export const MAX_DEPTH = 16;
/** Of the parser's complaints: the first one mends most of the others. */
const MAX_MISTAKES = 5;
/** Of what aliases stand for, all together: a few lines of them can stand for gigabytes. */
export const MAX_ALIASES = 100;

/** Returns the file that SIGNET_CONFIG names, else ./signet.yaml, else one that says nothing. */
export function readSettingsFile(
  sources: ConfigSources,
  given: Given,
  report: Report,
): SettingsFile {
  const named = given.get('SIGNET_CONFIG');
  const name = named ?? DEFAULT_NAME;
  const path = resolve(sources.cwd, name);
  const nothing = { name, path, isThere: false, raw: {}, lineOf: () => undefined };
  try {
    return { name, path, isThere: true, ...parse(name, sources.readFile(path), report) };
  } catch (error) {
    if (named === undefined && isMissing(error)) return { ...nothing, readable: true };
    const where = named === undefined ? name : 'SIGNET_CONFIG';
    const read = `${shown(name)}, ${reasonOf(error)}`;
    report({ where, read, allowed: 'a YAML file that Signet may read' });
    return { ...nothing, readable: false };
  }
}

type Parsed = Pick<SettingsFile, 'raw' | 'readable' | 'lineOf'>;

function parse(name: string, text: string, report: Report): Parsed {
  const nothing = { raw: {}, readable: false, lineOf: () => undefined };
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_SETTINGS_BYTES) {
    const allowed = `settings of at most ${MAX_SETTINGS_BYTES} bytes`;
    report({ where: name, read: `a file of ${bytes} bytes`, allowed });
    return nothing;
  }
  const lines = new LineCounter();
  const document = parseBounded(text, lines);
  if (document === undefined) {
    report({ where: name, ...TOO_MANY });
    return nothing;
  }
  const mistakes = [...document.errors, ...document.warnings];
  for (const { code, pos } of mistakes.slice(0, MAX_MISTAKES)) {
    const { line, col } = lines.linePos(pos[0]);
    // The parser's own words may quote the text around, and a secret may stand there.
    const read = `line ${line}, column ${col}: ${code.toLowerCase().replaceAll('_', ' ')}`;
    report({ where: name, read, allowed: 'YAML', mend: 'look at that line and the one before' });
  }
  const lineOf = (path: string) => {
    const offset = offsetOf(document, path);
    return offset === undefined ? undefined : lines.linePos(offset).line;
  };
  if (mistakes.length > 0) return { raw: {}, readable: false, lineOf };
  const raw = plainOf(document);
  if (raw === undefined) report({ where: name, ...BAD_ALIASES });
  return { raw: raw ?? {}, readable: raw !== undefined, lineOf };
}

const TOO_MANY = {
  read: 'a file of too many parts: lines, keys, or the characters that begin one',
  allowed: 'settings alone, some hundred lines of them',
  mend: 'look whether another file was meant',
};

const BAD_ALIASES = {
  read: 'aliases (*) or nesting without end',
  allowed: `at most ${MAX_DEPTH} levels; aliases of what stands before them, and few`,
  mend: 'write out what the aliases stand for; put a text that begins with * in quotes',
};

/** Returns the content; undefined if it is too deep, or an alias leads nowhere or to too much (`maxAliasCount`). */
function plainOf(document: Document.Parsed): unknown {
  try {
    const raw: unknown = document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
    return isDeeper(raw, MAX_DEPTH) ? undefined : raw;
  } catch {
    return undefined;
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (!isObject(value)) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1));
}

/** Returns whether reading failed because nothing is there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
