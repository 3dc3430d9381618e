// Finds the line of a Caddyfile that something in the adapted JSON came from: rather no line than a wrong one.
import { fitsLevels, type Level, levelOf } from './levels.ts';
import { sitesOf, type WantedSite } from './sites.ts';
import { createSpelling } from './spelling.ts';
import { matchersOf, standingOn, type Matchers } from './standing.ts';
import type { Import, Place } from './token.ts';
import type { CaddyfileTree, Directive } from './tree.ts';

/** What is looked for among lines. */
export type WantedLine = {
  /** Names of directives: the line is one of these. */
  readonly directives?: readonly string[];
  /** Texts as the JSON has them (a dial, a status, a body): at least one stands on the line or in its block. */
  readonly words?: readonly string[];
  /**
   * Texts that stand on the line itself or around it: a path, a matcher's name or what it is defined with,
   * NAME of `import protect NAME`. At least one does.
   */
  readonly within?: readonly string[];
  /** The conditions around it, from the outside in: a line that stands under others does not fit. */
  readonly levels?: readonly Level[];
  /** Of several that fit equally in one site, in the order of the file; from 0, the default. */
  readonly nth?: number;
};

/** A line of a site (without `directives` the site's own), of the global options, or of a named route. */
export type Wanted =
  | (WantedSite & WantedLine)
  /** `''` is the block of the global options itself; `name` is an option, at any depth. */
  | (Omit<WantedLine, 'directives'> & { readonly global: string })
  /** `&(NAME)`; without `directives` its own line. */
  | (WantedLine & { readonly namedRoute: string });

/** Where a line stands, and the import that brought it there, if one did. */
export type Located = Place & { readonly importedAt?: Import };

/** A block to look through; `owner` tells sites apart. */
type Scope = Located & { readonly directives: readonly Directive[] };

/** What the lines around a block say. */
type Outer = { readonly matchers: Matchers; readonly levels: readonly Level[] };

type Fit = { readonly directive: Directive; readonly scope: Scope; readonly score: number };

/**
 * Returns the line that fits best. A text of `words` counts 3 in the line's own arguments, 2 in the lines of
 * its block, 1 deeper; each text of `within` counts 3. What has none of the words, or none of `within`, does
 * not fit. Undefined when nothing fits, when lines of different sites fit equally, or there is no nth; with
 * `levels` and without `nth` also when different lines do.
 */
export function locate(tree: CaddyfileTree, wanted: Wanted): Located | undefined {
  const scopes = scopesOf(tree, wanted);
  const names = 'global' in wanted ? [wanted.global] : wanted.directives;
  const isOwnLine = names === undefined || ('global' in wanted && wanted.global === '');
  if (isOwnLine) return scopes.length === 1 ? locatedAt(scopes[0]!) : undefined;
  const fits = scopes.flatMap((scope) => fitsIn(scope, { ...wanted, directives: names }));
  const best = fits.reduce((highest, { score }) => Math.max(highest, score), 0);
  const equal = fits.filter(({ score }) => score === best);
  if (equal.some(({ scope }) => scope !== equal[0]!.scope)) return undefined;
  const isAnyOf = wanted.levels !== undefined && wanted.nth === undefined;
  if (isAnyOf && !isOneLine(equal.map(({ directive }) => directive))) return undefined;
  const chosen = equal[wanted.nth ?? 0];
  return chosen === undefined ? undefined : locatedAt(chosen.directive);
}

// What one import brings is one, and so is a snippet's line that several bring.
function isOneLine(lines: readonly Located[]): boolean {
  const count = (placeOf: (line: Located) => Place) =>
    new Set(lines.map(placeOf).map(({ file, line }) => `${file}:${line}`)).size;
  return count((line) => line) <= 1 || count(outermost) <= 1;
}

function outermost(line: Located): Place {
  return line.importedAt === undefined ? line : outermost(line.importedAt);
}

function scopesOf(tree: CaddyfileTree, wanted: Wanted): readonly Scope[] {
  if ('global' in wanted) return tree.global === undefined ? [] : [tree.global];
  if ('namedRoute' in wanted) {
    return tree.namedRoutes.filter(({ name }) => name === wanted.namedRoute);
  }
  return sitesOf(tree, wanted);
}

function locatedAt({ file, line, importedAt }: Located): Located {
  return { file, line, ...(importedAt !== undefined && { importedAt }) };
}

function fitsIn(scope: Scope, wanted: WantedLine): readonly Fit[] {
  const fits: Fit[] = [];
  const spellings = (wanted.words ?? []).map(createSpelling);
  const around = (wanted.within ?? []).map(createSpelling);

  const visit = (block: readonly Directive[], held: readonly number[], outer?: Outer) => {
    const matchers = matchersOf(block, outer?.matchers);
    for (const directive of block) {
      const texts = around.length === 0 ? [] : standingOn(directive, matchers);
      const levels = levelsOn(directive, { matchers, levels: outer?.levels ?? [] });
      const here = around.flatMap((fitsWord, at) => (texts.some(fitsWord) ? [at] : []));
      const within = here.length === 0 ? held : [...new Set([...held, ...here])];
      const isUnder = wanted.levels === undefined || fitsLevels(directive, levels, wanted.levels);
      if (isUnder && wanted.directives?.includes(directive.name) === true) {
        const worth = sum(spellings.map((fitsWord) => worthIn(directive, fitsWord)));
        const hasWord = spellings.length === 0 || worth > 0;
        const isWithin = around.length === 0 || within.length > 0;
        if (hasWord && isWithin) fits.push({ directive, scope, score: 3 * within.length + worth });
      }
      visit(directive.block, within, { matchers, levels });
    }
  };

  visit(scope.directives, []);
  return fits;
}

function levelsOn(directive: Directive, { matchers, levels }: Outer): readonly Level[] {
  const own = levelOf(directive, matchers);
  return own === undefined ? levels : [...levels, own];
}

/** 3 when a word stands in the line's own arguments, 2 in its block's lines, 1 deeper, else 0. */
function worthIn(directive: Directive, fitsWord: (word: string) => boolean): number {
  if (directive.args.some(({ text }) => fitsWord(text))) return 3;
  const inBlock = directive.block.some(
    (line) => fitsWord(line.name) || line.args.some(({ text }) => fitsWord(text)),
  );
  if (inBlock) return 2;
  return directive.block.some((line) => worthIn(line, fitsWord) > 0) ? 1 : 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/**
 * Returns the innermost place that is not in a shipped file: for a line of our snippet that is the user's
 * `import` line. Undefined when even the outermost is shipped.
 */
export function placeOutside(located: Located, isShipped: (file: string) => boolean) {
  for (let at: Located | undefined = located; at !== undefined; at = at.importedAt) {
    if (!isShipped(at.file)) return { file: at.file, line: at.line };
  }
  return undefined;
}
