// All languages that there are: the two that come with Signet, and the operator's own words over them.
import { GERMAN } from './texts-de.ts';
import { ENGLISH, placesIn, type TextKey, type Texts, type TextsByLanguage } from './texts.ts';

type Words = Readonly<Record<string, string>>;

const OWN: ReadonlyMap<string, Texts> = new Map([
  ['en', ENGLISH],
  ['de', GERMAN],
]);
const KEYS = Object.keys(ENGLISH) as TextKey[];
const LANGUAGE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$/;

export type Catalogue = {
  /** English first, unless the operator's file names others before it: the first is the default. */
  readonly languages: readonly [string, ...string[]];
  readonly texts: (language: string) => Texts;
  /** The language that a page of this title is really in, where words of this language were asked for. */
  readonly languageOf: (language: string, title: string) => string;
};

/**
 * Returns the catalogue. The operator's languages come first, in the order of the file, so that its first one is
 * for those whose language there isn't, and for what theirs leaves out.
 */
export function createCatalogue(given: TextsByLanguage = {}): Catalogue {
  const operators = new Map(Object.entries(given));
  const [first = 'en', ...rest] = new Set([...operators.keys(), ...OWN.keys()]);
  const languages = [first, ...rest] as const;
  const found = new Map(
    languages.map((language) => [language, findAll(sourcesOf(language, first, operators))]),
  );
  const english = findAll([['en', ENGLISH]]);
  return {
    languages,
    texts: (language) => (found.get(language) ?? english).texts,
    languageOf(language, title) {
      const source = (found.get(language) ?? english).titles.get(title) ?? language;
      // German words are those of a reader in Switzerland, too.
      return primaryOf(source) === primaryOf(language) ? language : source;
    },
  };
}

type Source = readonly [language: string, words: Words | undefined];

/** Where words of this language are looked for, one after the other; the last one has them all. */
function sourcesOf(
  language: string,
  first: string,
  operators: ReadonlyMap<string, Words>,
): Source[] {
  const [primary, firstPrimary] = [primaryOf(language), primaryOf(first)];
  return [
    [language, operators.get(language)],
    [primary, operators.get(primary)],
    [primary, OWN.get(primary)],
    [first, operators.get(first)],
    [firstPrimary, OWN.get(firstPrimary)],
    ['en', ENGLISH],
  ];
}

function findAll(sources: readonly Source[]): { texts: Texts; titles: Map<string, string> } {
  const found = KEYS.map((key) => {
    const [language, words] =
      sources.find(([, has]) => has && Object.hasOwn(has, key)) ?? (['en', ENGLISH] as const);
    return { key, language, text: (words as Words)[key] ?? ENGLISH[key] };
  });
  const titles = found.filter(({ key }) => key.endsWith('.title'));
  return {
    texts: Object.fromEntries(found.map(({ key, text }) => [key, text])) as Texts,
    titles: new Map(titles.map(({ text, language }) => [text, language])),
  };
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
  if (!isTextKey(key)) return [`${path} is no text of Signet's; deploy/pages.md lists them all`];
  const known = placesIn(ENGLISH[key]);
  const unknown = placesIn(text).filter((place) => !known.includes(place));
  if (unknown.length === 0) return [];
  const allowed = known.length === 0 ? 'there is none' : `there is {${known.join('}, {')}}`;
  return [`${path} has the place {${unknown.join('}, {')}}, and ${allowed}`];
}

function isTextKey(key: string): key is TextKey {
  return Object.hasOwn(ENGLISH, key);
}

function primaryOf(language: string): string {
  return language.toLowerCase().split('-', 1)[0] ?? '';
}
