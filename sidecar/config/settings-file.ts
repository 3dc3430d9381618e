// signet.yaml as text: found, read and parsed. What it says is not judged here.
import { resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { explain } from '../fault.ts';
import type { ConfigSources, Given } from './environment.ts';
import type { Report } from './errors.ts';

/** The file's content as plain data. */
export type SettingsFile = {
  /** As the operator named it; for messages. */
  readonly name: string;
  readonly raw: unknown;
  /** False when it is there but can't be understood: then nothing can be called missing. */
  readonly readable: boolean;
};

const DEFAULT_NAME = 'signet.yaml';

/** Returns the file that SIGNET_CONFIG names, else ./signet.yaml, else one that says nothing. */
export function readSettingsFile(
  sources: ConfigSources,
  given: Given,
  report: Report,
): SettingsFile {
  const named = given.get('SIGNET_CONFIG');
  const name = named ?? DEFAULT_NAME;
  try {
    return parse(name, sources.readFile(resolve(sources.cwd, name)), report);
  } catch (error) {
    if (named === undefined && isMissing(error)) return { name, raw: {}, readable: true };
    const where = named === undefined ? name : 'SIGNET_CONFIG';
    report({ where, read: explain(error), allowed: 'a YAML file that Signet may read' });
    return { name, raw: {}, readable: false };
  }
}

function parse(name: string, text: string, report: Report): SettingsFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const mistakes = [...document.errors, ...document.warnings];
  for (const { code, pos } of mistakes) {
    const { line, col } = lines.linePos(pos[0]);
    // The parser's own words may quote the text around, and a secret may stand there.
    const read = `line ${line}, column ${col}: ${code.toLowerCase().replaceAll('_', ' ')}`;
    report({ where: name, read, allowed: 'YAML', mend: 'look at that line and the one before' });
  }
  if (mistakes.length > 0) return { name, raw: {}, readable: false };
  return { name, raw: document.toJS() ?? {}, readable: true };
}

/** Returns whether reading failed because nothing is there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
