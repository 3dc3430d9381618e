// A Caddyfile's text as tokens: words, "quotes", `backticks`, heredocs, comments, continued lines. It follows
// `next` of Caddy 2.11's lexer.go branch by branch, oddities included; its structure is read elsewhere.
import { createCharacters, type Characters } from './characters.ts';
import { substitute, type Environment } from './environment.ts';
import { finishHeredoc, readMarker } from './heredoc.ts';
import type { CaddyfileProblem } from './problem.ts';
import { countBreaks, type Quote, type Token } from './token.ts';

type Read = { readonly text: string; readonly env: Environment; readonly file: string };

// Go's unicode.IsSpace.
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** Returns the tokens of a file, or what in it is not Caddyfile. Linear in the text's length. */
export function tokenize(read: Read): readonly Token[] | { readonly problem: CaddyfileProblem } {
  const lexer = createLexer(createCharacters(substitute(read.text, read.env)), read.file);
  const tokens: Token[] = [];
  for (;;) {
    const found = lexer.next();
    if (found === undefined) return tokens;
    if ('problem' in found) return found;
    tokens.push(found);
  }
}

/** What is known of the token that is being read. */
type Word = {
  text: string;
  quote: Quote;
  comment: boolean;
  escaped: boolean;
  /** It began with an escaped `<`, so that `<<` is only text. */
  heredocEscaped: boolean;
  /** It begins with `<<`. Kept, because looking at the text each time would make this quadratic. */
  opensHeredoc: boolean;
  line: number;
  caddyLine: number;
};

function createLexer(characters: Characters, file: string) {
  let caddyLine = 1;
  let skipped = 0;

  const endLine = () => {
    caddyLine += 1 + skipped;
    skipped = 0;
  };

  const finish = (word: Word, quote: Quote): Token => ({
    file,
    line: word.line,
    text: word.text,
    quote,
    fromEnvironment: characters.touched(),
    caddyLine: word.caddyLine,
    breaks: countBreaks(word.text, quote),
  });

  const wrong = (message: string, line: number) => ({
    problem: { reason: 'syntax', message, place: { file, line } } as const,
  });

  const next = (): Token | { problem: CaddyfileProblem } | undefined => {
    characters.forget();
    const word: Word = { ...NO_WORD, caddyLine, line: characters.line() };
    for (let character = characters.next(); ; character = characters.next()) {
      if (character === undefined) return word.text === '' ? undefined : finish(word, '');
      const found = take(word, character);
      if (found !== undefined) return found;
    }
  };

  /** Takes one character; returns what ended with it, if something did. */
  const take = (word: Word, character: string) => {
    if (word.quote === '' && word.opensHeredoc && !word.heredocEscaped) {
      return takeMarker(word, character);
    }
    if (!word.escaped && word.quote !== '`' && character === '\\') {
      word.escaped = true;
      return undefined;
    }
    if (word.quote !== '') return takeQuoted(word, character);
    if (SPACE.test(character)) return takeSpace(word, character);
    if (character === '#' && word.text === '') word.comment = true;
    if (!word.comment) takePlain(word, character);
    return undefined;
  };

  const takeQuoted = (word: Word, character: string) => {
    if (word.quote === '"' && word.escaped) {
      if (character !== '"') word.text += '\\';
      word.escaped = false;
    } else if (character === word.quote) return finish(word, word.quote);
    if (character === '\n') endLine();
    word.text += character;
    return undefined;
  };

  const takeSpace = (word: Word, character: string) => {
    if (character === '\r') return undefined;
    if (character === '\n') {
      if (word.escaped) skipped++;
      else endLine();
      word.escaped = false;
      word.comment = false;
    }
    if (word.text !== '') return finish(word, '');
    characters.forget();
    return undefined;
  };

  const takePlain = (word: Word, character: string) => {
    if (word.text === '') {
      word.line = characters.line();
      word.caddyLine = caddyLine;
      if (character === '"' || character === '`') {
        word.quote = character;
        return;
      }
    }
    if (word.escaped) {
      if (character === '<') word.heredocEscaped = true;
      else word.text += '\\';
      word.escaped = false;
    }
    word.text += character;
    if (word.text.length === 2) word.opensHeredoc = word.text === '<<';
  };

  const takeMarker = (word: Word, character: string) => {
    if (character === ' ') return finish(word, '');
    if (character === '\r') return undefined;
    if (character !== '\n') {
      word.text += character;
      return undefined;
    }
    const read = readMarker(word.text);
    if ('wrong' in read) return wrong(read.wrong, word.line);
    return takeHeredoc(word, read.marker);
  };

  const takeHeredoc = (word: Word, marker: string) => {
    skipped++;
    const length = characters.distanceTo(marker);
    if (length === undefined) return wrong(`the heredoc <<${marker} has no end`, word.line);
    const parts: string[] = [];
    for (let taken = 0; taken < length; taken++) {
      const character = characters.next() ?? '';
      if (character === '\n') skipped++;
      parts.push(character);
    }
    const finished = finishHeredoc(parts.join(''), marker);
    if ('wrong' in finished) return wrong(finished.wrong, word.line + finished.lineOffset);
    caddyLine += skipped;
    skipped = 0;
    return finish({ ...word, text: finished.text }, '<');
  };

  return { next };
}

const NO_WORD = {
  text: '',
  quote: '',
  comment: false,
  escaped: false,
  heredocEscaped: false,
  opensHeredoc: false,
} as const;
