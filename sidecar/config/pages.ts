// What people see, where it is not what is built in: one stylesheet, and texts for each language. The files
// are read here, and anew at each reload.
import { join, resolve } from 'node:path';
import { parseBounded } from './bounded-yaml.ts';
import type { PagesFiles } from './environment.ts';
import type { ConfigError } from './errors.ts';
import { KEYS_FILE } from './keys.ts';
import type { Reading } from './reading.ts';
import { markOf } from './secret-file.ts';
import { MAX_ALIASES } from './settings-file.ts';
import { isObject } from './settings.ts';
import { described, shown } from './shown.ts';

/** It is in every page, and its hash in every policy. */
export const MAX_CSS_BYTES = 65_536;
export const MAX_TEXTS_BYTES = 262_144;
/** BCP 47, as far as browsers send it. */
const LANGUAGE = /^[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}$/i;
const TEXT_NAME = /^[\w.-]{1,64}$/;
/** Of the mistakes in one file: where there are more, it may well be another file that was meant. */
const MAX_MISTAKES = 5;
const MAX_MISTAKE_CHARS = 200;

/**
 * Returns what is given by files; reports what can be neither style nor texts. To be read last: a file that another
 * setting names is no page's.
 */
export function readPages(reading: Reading, stateFolder: string): PagesFiles {
  const { css_file: cssFile, texts_file: textsFile } = reading.settings.pages;
  const readOwn = (file: string | undefined, setting: string) =>
    file === undefined ? undefined : readApart(file, reading.place(setting), reading, stateFolder);
  const cssText = readOwn(cssFile, 'pages.css_file');
  const textsText = readOwn(textsFile, 'pages.texts_file');
  const css = cssText === undefined ? undefined : checkCss(cssText, reading);
  const texts = textsText === undefined ? undefined : readTexts(textsText, reading);
  const pages = { ...(css !== undefined && { css }), ...(texts && { texts }) };
  const allowed = 'CSS alone, and the texts that there are: see the documentation of the pages';
  const mistake = { where: reading.place('pages'), setting: 'pages', allowed };
  reportFew(reading.sources.pagesProblems?.(pages) ?? [], mistake, reading);
  return pages;
}

// Everybody who opens a page reads it.
function readApart(
  file: string,
  where: string,
  reading: Reading,
  stateFolder: string,
): string | undefined {
  const { sources, settingsFile, namedFiles, place } = reading;
  const path = resolve(sources.cwd, file);
  const text = reading.readText(file, where);
  if (text === undefined) return undefined;
  const sha256 = markOf(text);
  const ours = [place('pages.css_file'), place('pages.texts_file')];
  const other = namedFiles.find((named) => named.sha256 === sha256 && !ours.includes(named.where));
  const isOwn = path === settingsFile.path || path === join(stateFolder, KEYS_FILE);
  if (other === undefined && !isOwn) return text;
  const read =
    other === undefined ? 'a file of Signet itself' : `what is in the file of ${other.where}`;
  const allowed = 'a file of its own, with nothing in it that not everybody may read';
  reading.report({ where, read, allowed, mend: 'name another file' });
  return undefined;
}

function reportFew(
  reads: readonly string[],
  mistake: Omit<ConfigError, 'read'>,
  { report }: Reading,
): void {
  for (const read of reads.slice(0, MAX_MISTAKES)) {
    report({ ...mistake, read: read.slice(0, MAX_MISTAKE_CHARS) });
  }
  const further = reads.length - MAX_MISTAKES;
  if (further > 0) report({ ...mistake, read: `${further} more like these` });
}

function checkCss(css: string, { place, report }: Reading): string | undefined {
  const where = place('pages.css_file');
  const bytes = Buffer.byteLength(css);
  const problem =
    bytes > MAX_CSS_BYTES
      ? `a file of ${bytes} bytes`
      : // It stands within a page, and would end the element that it stands in.
        /<\/style/i.test(css)
        ? 'a file with </style in it'
        : // Browsers replace it, and then the page's policy, which has the hash, lets no style in.
          css.includes('\0')
          ? 'a file with a NUL in it, such as one in UTF-16'
          : undefined;
  if (problem === undefined) return css;
  report({ where, read: problem, allowed: `CSS alone, of at most ${MAX_CSS_BYTES} bytes` });
  return undefined;
}

function readTexts(text: string, reading: Reading): NonNullable<PagesFiles['texts']> {
  const problems: string[] = [];
  const texts = parseTexts(text, problems);
  const allowed = 'YAML: under each language, such as de, a line `name: text` for each text';
  reportFew(problems, { where: reading.place('pages.texts_file'), allowed }, reading);
  return texts;
}

function parseTexts(text: string, problems: string[]): NonNullable<PagesFiles['texts']> {
  const raw = Buffer.byteLength(text) > MAX_TEXTS_BYTES ? undefined : plainOf(text);
  if (!isObject(raw) || Array.isArray(raw)) {
    problems.push(
      `a file that is no YAML, or of more than ${MAX_TEXTS_BYTES} bytes, or of too many parts`,
    );
    return {};
  }
  const entries = Object.entries(raw);
  const unknown = entries.filter(([key]) => !LANGUAGE.test(key));
  // Not quoted: in a file that was meant for something else it may be anything.
  problems.push(...unknown.map(([key]) => `${described(key)} as a key, which is no language`));
  const known = entries.filter(([key]) => LANGUAGE.test(key));
  return Object.fromEntries(
    known.map(([language, texts]) => [language.toLowerCase(), textsOf(language, texts, problems)]),
  );
}

function textsOf(language: string, texts: unknown, problems: string[]): Record<string, string> {
  if (!isObject(texts) || Array.isArray(texts)) {
    problems.push(`${described(texts)} under ${shown(language)}`);
    return {};
  }
  const isText = (entry: [string, unknown]): entry is [string, string] =>
    TEXT_NAME.test(entry[0]) && typeof entry[1] === 'string';
  const entries = Object.entries(texts);
  const wrong = entries.filter((entry) => !isText(entry));
  problems.push(...wrong.map(([name, one]) => `${described(one)} at ${placeIn(language, name)}`));
  return Object.fromEntries(entries.filter(isText));
}

function placeIn(language: string, name: string): string {
  if (TEXT_NAME.test(name)) return shown(`${language}.${name}`);
  return `${described(name)} under ${shown(language)}`;
}

function plainOf(text: string): unknown {
  const document = parseBounded(text);
  if (document === undefined) return undefined;
  if (document.errors.length > 0 || document.warnings.length > 0) return undefined;
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown;
  } catch {
    return undefined;
  }
}
