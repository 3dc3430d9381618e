// The few pages that people see of Signet, for a reader in a hurry: in their language, in the operator's style.
// Decides nothing: what is the matter is handed in.
import { Fault } from '../fault.ts';
import { createCatalogue, textProblems } from './catalogue.ts';
import { chooseLanguage } from './language.ts';
import { createFrame, type Page } from './page.ts';
import * as contents from './page-contents.ts';
import type { Texts, TextsByLanguage } from './texts.ts';
import { THEME } from './theme.ts';

export type PagesOptions = {
  /** In place of the built-in style. */
  readonly css?: string | undefined;
  /** Over the built-in words. */
  readonly texts?: TextsByLanguage | undefined;
};

/** A request's `Accept-Language`, as it came. */
export type Lang = string | undefined;

type Contents = typeof contents;
type InLanguage<Make> = Make extends (texts: Texts, ...args: infer Args) => contents.Content
  ? (lang: Lang, ...args: Args) => Page
  : never;

/** A function for each page of page-contents.ts: the request's `Accept-Language` first, then what it says. */
export type Pages = { readonly [Name in keyof Contents]: InLanguage<Contents[Name]> };

/** Returns the pages. Throws Fault ERR_CONFIG that names everything wrong with the style or the words. */
export function createPages(options: PagesOptions = {}): Pages {
  const problems = pagesProblems(options);
  if (problems.length > 0) throw new Fault('ERR_CONFIG', problems.join('\n'));
  const { languages, texts, languageOf } = createCatalogue(options.texts);
  const frame = createFrame(options.css ?? THEME);
  const inLanguage =
    <Args extends readonly unknown[]>(make: (texts: Texts, ...args: Args) => contents.Content) =>
    (acceptLanguage: Lang, ...args: Args): Page => {
      const lang = chooseLanguage(acceptLanguage, languages);
      const content = make(texts(lang), ...args);
      return frame({ lang: languageOf(lang, content.title), ...content });
    };
  return {
    forbidden: inLanguage(contents.forbidden),
    problem: inLanguage(contents.problem),
    signInFailed: inLanguage(contents.signInFailed),
    signInUnavailable: inLanguage(contents.signInUnavailable),
    chooser: inLanguage(contents.chooser),
    signedIn: inLanguage(contents.signedIn),
    signedOut: inLanguage(contents.signedOut),
    signedOutHere: inLanguage(contents.signedOutHere),
    leaving: inLanguage(contents.leaving),
    confirmSignOut: inLanguage(contents.confirmSignOut),
  };
}

/** Returns what is wrong with the operator's style and words, a sentence for each. */
export function pagesProblems({ css = '', texts = {} }: PagesOptions): string[] {
  const ends = /<\/style/i.test(css);
  const hasNul = css.includes('\0');
  return [
    ...(ends ? ['the style sheet holds </style, which would end it within the page'] : []),
    ...(hasNul
      ? ['the style sheet holds a NUL, which browsers replace: it is no text in UTF-8']
      : []),
    ...textProblems(texts),
  ];
}
