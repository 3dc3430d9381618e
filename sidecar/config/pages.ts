// What people see, where it is not what is built in: one stylesheet, and texts for each language. The files
// are read here, and anew at each reload.
import { parseDocument } from 'yaml';
import type { PagesFiles } from './environment.ts';
import type { Reading } from './reading.ts';
import { isObject } from './settings.ts';
import { described, shown } from './shown.ts';

/** It is in every page, and its hash in every policy. */
const MAX_CSS_BYTES = 65_536;
const MAX_TEXTS_BYTES = 262_144;
/** BCP 47, as far as browsers send it. */
const LANGUAGE = /^[a-z]{2,3}(-[a-z0-9]{1,8})*$/i;
const TEXT_NAME = /^[\w.-]{1,64}$/;

/** Returns what is given by files; reports what can be neither style nor texts. */
export function readPages(reading: Reading): PagesFiles {
  const { css_file: cssFile, texts_file: textsFile } = reading.settings.pages;
  const css = cssFile === undefined ? undefined : readCss(cssFile, reading);
  const texts = textsFile === undefined ? undefined : readTexts(textsFile, reading);
  const pages = { ...(css !== undefined && { css }), ...(texts && { texts }) };
  for (const read of reading.sources.pagesProblems?.(pages) ?? []) {
    const allowed = 'CSS alone, and the texts that there are: see the documentation of the pages';
    reading.report({ where: reading.place('pages'), setting: 'pages', read, allowed });
  }
  return pages;
}

function readCss(file: string, { readText, place, report }: Reading): string | undefined {
  const where = place('pages.css_file');
  const css = readText(file, where);
  if (css === undefined) return undefined;
  const bytes = Buffer.byteLength(css);
  const problem =
    bytes > MAX_CSS_BYTES
      ? `a file of ${bytes} bytes`
      : // It stands within a page, and would end the element that it stands in.
        /<\/style/i.test(css)
        ? 'a file with </style in it'
        : undefined;
  if (problem === undefined) return css;
  report({ where, read: problem, allowed: `CSS alone, of at most ${MAX_CSS_BYTES} bytes` });
  return undefined;
}

function readTexts(file: string, reading: Reading): NonNullable<PagesFiles['texts']> | undefined {
  const { readText, place, report } = reading;
  const where = place('pages.texts_file');
  const text = readText(file, where);
  if (text === undefined) return undefined;
  const problems: string[] = [];
  const texts = parseTexts(text, problems);
  const allowed = 'YAML: under each language, such as de, a line `name: text` for each text';
  for (const read of problems) report({ where, read, allowed });
  return texts;
}

function parseTexts(text: string, problems: string[]): NonNullable<PagesFiles['texts']> {
  const raw = Buffer.byteLength(text) > MAX_TEXTS_BYTES ? undefined : plainOf(text);
  if (!isObject(raw) || Array.isArray(raw)) {
    problems.push(`a file that is no YAML, or of more than ${MAX_TEXTS_BYTES} bytes`);
    return {};
  }
  const languages = Object.entries(raw).map(([language, texts]) => {
    if (!LANGUAGE.test(language)) problems.push(`${shown(language)}, which is no language`);
    return [language.toLowerCase(), textsOf(language, texts, problems)] as const;
  });
  return Object.fromEntries(languages);
}

function textsOf(language: string, texts: unknown, problems: string[]): Record<string, string> {
  if (!isObject(texts) || Array.isArray(texts)) {
    problems.push(`${described(texts)} under ${shown(language)}`);
    return {};
  }
  const entries = Object.entries(texts);
  const wrong = entries.filter(([name, one]) => !TEXT_NAME.test(name) || typeof one !== 'string');
  problems.push(
    ...wrong.map(([name, one]) => `${described(one)} at ${shown(`${language}.${name}`)}`),
  );
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => !wrong.includes(entry)),
  );
}

function plainOf(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  if (document.errors.length > 0 || document.warnings.length > 0) return undefined;
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch {
    return undefined;
  }
}
