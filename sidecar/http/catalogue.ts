// All languages that there are: the two that come with Signet, and the operator's own words over them.
import { GERMAN } from './texts-de.ts';
import { ENGLISH, placesIn, type TextKey, type Texts, type TextsByLanguage } from './texts.ts';

const OWN: Readonly<Record<string, Texts>> = { en: ENGLISH, de: GERMAN };
const LANGUAGE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$/;

export type Catalogue = {
  /** English first, unless the operator's file names others before it: the first is the default. */
  readonly languages: readonly [string, ...string[]];
  readonly texts: (language: string) => Texts;
};

/**
 * Returns the catalogue. The operator's languages come first, in the order of the file, so that its first one is
 * for those whose language there isn't; a language of theirs begins as what there is of it, else as English.
 */
export function createCatalogue(given: TextsByLanguage = {}): Catalogue {
  const byLanguage = new Map<string, Texts>();
  for (const [language, words] of Object.entries(given)) {
    byLanguage.set(language, { ...baseOf(language), ...words });
  }
  for (const [language, texts] of Object.entries(OWN)) {
    if (!byLanguage.has(language)) byLanguage.set(language, texts);
  }
  const [first = 'en', ...rest] = byLanguage.keys();
  return { languages: [first, ...rest], texts: (language) => byLanguage.get(language) ?? ENGLISH };
}

/** Returns what is wrong with the operator's words, a sentence for each; empty when nothing is. */
export function textProblems(given: TextsByLanguage): string[] {
  return Object.entries(given).flatMap(([language, words]) => {
    if (!LANGUAGE.test(language)) return [`${language} is no language tag; write en, de or de-AT`];
    return Object.entries(words).flatMap(([key, text]) =>
      wrongText(`${language}.${key}`, key, text),
    );
  });
}

function wrongText(path: string, key: string, text: string): string[] {
  if (!isTextKey(key)) return [`${path} is no text of Signet's; http/texts.ts has them all`];
  const known = placesIn(ENGLISH[key]);
  const unknown = placesIn(text).filter((place) => !known.includes(place));
  if (unknown.length === 0) return [];
  const allowed = known.length === 0 ? 'there is none' : `there is {${known.join('}, {')}}`;
  return [`${path} has the place {${unknown.join('}, {')}}, and ${allowed}`];
}

function isTextKey(key: string): key is TextKey {
  return Object.hasOwn(ENGLISH, key);
}

function baseOf(language: string): Texts {
  const [primary = ''] = language.toLowerCase().split('-');
  return OWN[primary] ?? ENGLISH;
}
