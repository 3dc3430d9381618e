// Which conditions stand around a line, as far as they can be held against those of the adapted JSON: one level for each
// matcher on the line itself and on the lines whose blocks it stands in.
import { createSpelling } from './spelling.ts';
import type { Matchers } from './standing.ts';
import type { Directive } from './tree.ts';

/** A matcher, as far as both sides have the same words for it. */
export type Level = {
  /** Names of the matchers in it, each once, sorted; with those within `not`. */
  readonly kinds: readonly string[];
  /** What is written alike on both sides: `path /x*`, `method GET`, `host a.example.com`. */
  readonly texts: readonly string[];
};

/** What `handle_errors 404` is counted as, which Caddy writes as an expression. */
export const ERRORS = 'handle_errors';

/** Kinds whose values Caddy takes as they are written. */
const LITERAL: readonly string[] = ['path', 'method', 'host', ERRORS];

/** Caddy gives what these become conditions of its own. */
const MAKES_OWN = ['php_fastcgi', 'php_server', 'php', 'try_files'];

/** A line of a matcher's definition: `path /x*`. */
type Line = Pick<Directive, 'name' | 'args' | 'block'>;

/** Returns the level of a line's own matcher; undefined where it has none, and runs always. */
export function levelOf({ name, args }: Directive, matchers: Matchers): Level | undefined {
  if (name === ERRORS) {
    return args.length > 0 ? madeOf([[ERRORS, args.map(({ text }) => text)]]) : undefined;
  }
  const [first] = args;
  const isTarget = name === 'try_files' || (name === 'rewrite' && args.length === 1);
  if (first === undefined || isTarget) return undefined;
  if (first.text.startsWith('/')) return madeOf([['path', [first.text]]]);
  if (!first.text.startsWith('@')) return undefined;
  const definition = definitionOf(first.text, matchers);
  return madeOf(definition === undefined ? [] : partsOf(definition).flatMap(partsOfLine));
}

/** Returns whether a line with these levels around it may have become what has those levels in the JSON. */
export function fitsLevels(
  { name }: Directive,
  own: readonly Level[],
  wanted: readonly Level[],
): boolean {
  const isMore = MAKES_OWN.includes(name) && wanted.length > own.length;
  if (!isMore && wanted.length !== own.length) return false;
  return own.every((level, at) => isAlike(level, wanted[at]!));
}

function isAlike(own: Level, wanted: Level): boolean {
  if (own.kinds.join() !== wanted.kinds.join()) return false;
  return (
    own.texts.length === wanted.texts.length &&
    wanted.texts.every((text) => own.texts.some(createSpelling(text)))
  );
}

/** A matcher of a level: its kind, and its values as texts. */
export type Part = readonly [kind: string, texts: readonly string[]];

/** Returns the level that such matchers make together. */
export function madeOf(parts: readonly Part[]): Level {
  const literal = parts.filter(([kind]) => LITERAL.includes(kind));
  const texts = literal.flatMap(([kind, all]) => all.map((text) => `${kind} ${text}`));
  return {
    kinds: [...new Set(parts.map(([kind]) => kind))].toSorted(),
    texts: [...new Set(texts)],
  };
}

function definitionOf(name: string, { own, outer }: Matchers): Directive | undefined {
  return own.get(name) ?? (outer && definitionOf(name, outer));
}

// `@x path /a`, `@x { path /a }`, and an expression that stands there by itself.
function partsOf({ args, block }: Line): readonly Line[] {
  const [first, ...others] = args;
  if (first === undefined) return block;
  if (first.quoted) return [{ name: 'expression', args, block }];
  return [{ name: first.text, args: others, block }];
}

function partsOfLine({ name, args, block }: Line): readonly Part[] {
  if (name === 'not') return [[name, []], ...partsOf({ name, args, block }).flatMap(partsOfLine)];
  return [[name, args.map(({ text }) => text)]];
}
