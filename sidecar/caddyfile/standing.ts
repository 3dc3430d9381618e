// Which texts stand on a line, in the widest sense: its arguments, what the matchers that it names are
// defined with, and the names and arguments of the imports that brought it.
import type { Import } from './token.ts';
import type { Directive } from './tree.ts';

/** The matchers that a block may name: its own, and those of the blocks around it. */
export type Matchers = { readonly own: ReadonlyMap<string, Directive>; readonly outer?: Matchers };

/** Returns the matchers that are defined in a block. */
export function matchersOf(block: readonly Directive[], outer?: Matchers): Matchers {
  const defined = block.filter(({ name }) => name.startsWith('@'));
  const own = new Map(defined.map((matcher) => [matcher.name, matcher]));
  return outer === undefined ? { own } : { own, outer };
}

/** Returns every text that stands on a directive itself; what is in its block does not. */
export function standingOn(directive: Directive, matchers: Matchers): readonly string[] {
  const args = directive.args.map(({ text }) => text);
  const named = args.filter((text) => text.startsWith('@'));
  const names = named.map((name) => name.slice(1));
  const defined = named.flatMap((name) => textsIn(find(name, matchers)));
  return [...args, ...names, ...defined, ...textsOfImports(directive.importedAt)];
}

function find(name: string, matchers: Matchers): Directive | undefined {
  for (let at: Matchers | undefined = matchers; at !== undefined; at = at.outer) {
    const found = at.own.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A matcher's definition, whether on its line or in a block: `path /admin*`. */
function textsIn(matcher: Directive | undefined): readonly string[] {
  if (matcher === undefined) return [];
  const lines = matcher.block.flatMap((line) => [line.name, ...textsIn(line)]);
  return [...matcher.args.map(({ text }) => text), ...lines];
}

function textsOfImports(importedAt: Import | undefined): readonly string[] {
  const texts: string[] = [];
  for (let at = importedAt; at !== undefined; at = at.importedAt) texts.push(at.name, ...at.args);
  return texts;
}
