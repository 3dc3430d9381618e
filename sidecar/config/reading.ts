// One run over environment and file: what they say together, and how secrets are read and mistakes
// reported. The parts of the config are made from this; each takes from it what it needs.
import { type ConfigSources, type Given, namesOf } from './environment.ts';
import { overlayEnvironment, readEnvironment } from './environment.ts';
import type { Report } from './errors.ts';
import type { Settings } from './schema.ts';
import { createFindSecret, createReadText } from './secret-file.ts';
import type { FindSecret, NamedFile, ReadSecret, ReadText } from './secret-file.ts';
import { checkSettings, isObject } from './settings.ts';
import { readSettingsFile, type SettingsFile } from './settings-file.ts';

/** What was read, and the means to read on. */
export type Reading = {
  readonly sources: ConfigSources;
  readonly given: Given;
  /** The file's name, for messages. */
  readonly file: string;
  readonly settingsFile: SettingsFile;
  /** False when the file can't be understood: then no setting can be called missing. */
  readonly readable: boolean;
  /** What holds; defaults stand for the rest, and holes for the sections of lists. */
  readonly settings: Settings;
  /** The paths of settings that were refused, and reported: what rests on them is not to be judged. */
  readonly refused: ReadonlySet<string>;
  /** Resource attributes that are no setting of their own. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Names where a path was written: a variable, or the file and the path. */
  readonly place: (path: string) => string;
  /** Names where a path could be written, if it is written nowhere at all; a bad value is written. */
  readonly missing: (path: string) => string | undefined;
  /** The variable that set a path, where one did. */
  readonly variableOf: (path: string) => string | undefined;
  readonly readText: ReadText;
  /** What was read by `readText` so far. */
  readonly namedFiles: readonly NamedFile[];
  readonly findSecret: FindSecret;
  readonly readSecret: ReadSecret;
  readonly report: Report;
};

/** Returns what environment and file say, the environment first. Judges each setting by itself. */
export function readSources(sources: ConfigSources, report: Report): Reading {
  const given = readEnvironment(sources.env, report);
  const settingsFile = readSettingsFile(sources, given, report);
  const { name: file, raw: inFile, readable: parsed } = settingsFile;
  const { raw, origins, attributes } = overlayEnvironment(inFile, given, report);
  const readable = parsed && isObject(raw) && !Array.isArray(raw);
  const place = (path: string) =>
    origins.get(path.replace(/\[\d+\]$/, '')) ?? (path === '' ? file : `${file}: ${path}`);
  const missing = (path: string) =>
    readable && raw[path] === undefined ? namesOf(path, file) : undefined;
  const refused = new Set<string>();
  const settings = checkSettings(raw, place, (error) => {
    refused.add(error.setting ?? '');
    report(error);
  });
  const namedFiles: NamedFile[] = [];
  const readText = createReadText(sources, report, (named) => namedFiles.push(named));
  const findSecret = createFindSecret(given, readText, sources, report);
  const readSecret: ReadSecret = (at) => {
    const found = findSecret(at);
    return found && found.secret;
  };
  const variableOf = (path: string) => origins.get(path);
  const read = { sources, given, file, settingsFile, readable, settings, refused, attributes };
  const means = { readText, namedFiles, findSecret, readSecret, report };
  return { ...read, ...means, place, missing, variableOf };
}
