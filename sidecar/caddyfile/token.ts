// The words of a Caddyfile, and which of them begin a line. After Caddy 2.11's lexer.go and dispenser.go.

/** A place in a file that a person can open; `line` counts from 1. */
export type Place = { readonly file: string; readonly line: number };

/** An `import` that led to a text: where that line stands, what it names, and what led to it in turn. */
export type Import = Place & {
  /** The snippet, file or pattern as written. */
  readonly name: string;
  readonly args: readonly string[];
  /** `snippet:NAME` or `file:PATH`: what was taken. */
  readonly target: string;
  readonly importedAt?: Import;
};

/** Caddy's own notion of a token's imports, interned: two are the same chain when they are the same object. */
export type Chain = { readonly id: number };

export type Quote = '' | '"' | '`' | '<';

export type Token = Place & {
  readonly text: string;
  /** `<` for a heredoc. */
  readonly quote: Quote;
  /** Some of it came from `{$NAME}`, or from its default. */
  readonly fromEnvironment: boolean;
  /** The line as Caddy counts it, after substitution and with continued lines as one. */
  readonly caddyLine: number;
  /** Line breaks inside, as Caddy counts them. */
  readonly breaks: number;
  readonly chain?: Chain;
  /** The snippet that it is defined in. */
  readonly snippet?: string;
  readonly importedAt?: Import;
  /** Where the argument stands that this text was filled in from, `{args[0]}`. */
  readonly givenAt?: Place;
};

export function isOpen(token: Token): boolean {
  return token.text === '{' && token.quote === '';
}

export function isClose(token: Token): boolean {
  return token.text === '}' && token.quote === '';
}

/** Whether `next` stands on another line than `token`, by Caddy's rule. */
export function isNewLine(token: Token | undefined, next: Token): boolean {
  if (token === undefined || token.file !== next.file || token.chain !== next.chain) return true;
  return token.caddyLine + token.breaks < next.caddyLine;
}

/** How many line breaks Caddy counts in a token: a heredoc's marker lines are two more. */
export function countBreaks(text: string, quote: Quote): number {
  let breaks = quote === '<' ? 2 : 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) breaks++;
  return breaks;
}
