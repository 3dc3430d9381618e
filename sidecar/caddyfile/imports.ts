// `import`: what a snippet or a file says, put in the place of the line that asks for it. After `doImport` of
// Caddy 2.11's parse.go; but cycles are found by the way that led here, and everything is counted.
import { fillIn } from './arguments.ts';
import { createSources, type Reading } from './sources.ts';
import { partsOf, takeBlock } from './import-block.ts';
import { LIMITS } from './problem.ts';
import type { Stream } from './stream.ts';
import { isClose, isNewLine, isOpen, type Chain, type Import, type Token } from './token.ts';

export type Imports = {
  /** Replaces the import that the stream stands at by what it names; the stream stands in front of it then. */
  follow(stream: Stream, within: 'file' | 'block'): void;
  /** The tokens of a snippet's block, as they are written. */
  define(name: string, tokens: readonly Token[]): void;
  isDefined(name: string): boolean;
  /** The tokens of a file; a problem is told to the stream. */
  open(stream: Stream, path: string, text?: string): readonly Token[];
  files(): readonly string[];
};

/** What an import line hands over. */
type Given = { readonly args: readonly Token[]; readonly block: readonly Token[] };

/** Returns what follows imports; `reading` is how files are come by. */
export function createImports(reading: Reading): Imports {
  const snippets = new Map<string, readonly Token[]>();
  const sources = createSources(reading);
  const chains = createChains();
  let count = 0;

  /** What is imported, each token with the way it came. */
  const find = (stream: Stream, at: Token, pattern: Token, args: readonly Token[]) => {
    const snippet = snippets.get(pattern.text);
    const way = { file: at.file, line: at.line, name: pattern.text, args: args.map((a) => a.text) };
    const chain = createChaining(chains, stream.current()!);
    const come = (target: string, tokens: readonly Token[]) => {
      const importedAt = lead(stream, at, { ...way, target });
      if (importedAt === undefined) return [];
      return tokens.map((token) => ({ ...token, importedAt, chain: chain(token) }));
    };
    if (snippet !== undefined) return come(`snippet:${pattern.text}`, snippet);
    const paths = sources.match(stream, pattern);
    return paths.flatMap((path) => come(`file:${path}`, sources.open(stream, path)));
  };

  return {
    follow(stream, within) {
      const [at, before] = [stream.current()!, stream.previous()];
      if (!takeArgument(stream)) return stream.stop('syntax', 'an import names nothing');
      const pattern = stream.current()!;
      const args: Token[] = [];
      while (takeArgument(stream)) args.push(stream.current()!);
      const block = takeBlock(stream);
      if (++count > LIMITS.imports) return stream.stop('too-large', 'there are too many imports');
      if (pattern.text === '') return stream.stop('syntax', 'an import names nothing', at);
      const found = find(stream, at, pattern, args);
      const given = { args, block: block ?? [] };
      stream.splice(expand(found, given, within), block === undefined ? before : pattern);
    },
    define: (name, tokens) => void snippets.set(name, tokens),
    isDefined: (name) => snippets.has(name),
    open: (stream, path, text) => sources.open(stream, path, text),
    files: () => sources.files(),
  };
}

function takeArgument(stream: Stream): boolean {
  const following = stream.peek();
  return !stream.endsLine() && following !== undefined && !isOpen(following) && stream.next();
}

/** The import with what led to it, unless it leads in a circle. */
function lead(stream: Stream, at: Token, way: Omit<Import, 'importedAt'>): Import | undefined {
  let depth = 0;
  for (let from = at.importedAt; from !== undefined; from = from.importedAt) {
    if (from.target === way.target) {
      stream.stop('import-cycle', `${way.name} imports itself, in the end`, at);
      return undefined;
    }
    if (++depth > LIMITS.importDepth) {
      stream.stop('too-large', 'imports stand too deep in imports', at);
      return undefined;
    }
  }
  if (way.target === `file:${at.file}`) {
    stream.stop('import-cycle', 'the file imports itself', at);
    return undefined;
  }
  return at.importedAt === undefined ? way : { ...way, importedAt: at.importedAt };
}

type Chains = (from: Chain | undefined, label: string) => Chain;

/** Caddy compares chains of imports by their text; one object for each makes that a comparison of two. */
function createChains(): Chains {
  const known = new Map<string, Chain>();
  return (from, label) => {
    const key = `${from?.id ?? 0}|${label}`;
    const chain = known.get(key) ?? { id: known.size + 1 };
    known.set(key, chain);
    return chain;
  };
}

/** Returns the chain of what an import that ends with `last` brings; most tokens have their neighbour's. */
function createChaining(chains: Chains, last: Token): (token: Token) => Chain {
  let known: { from: Chain | undefined; snippet: string | undefined; chain: Chain } | undefined;
  return ({ chain: from, snippet }) => {
    if (known === undefined || known.from !== from || known.snippet !== snippet) {
      const label = `${last.file}:${last.caddyLine}:${snippet ?? ''}`;
      known = { from, snippet, chain: chains(from, label) };
    }
    return known.chain;
  };
}

/** Fills in arguments and blocks, but not in the snippets that an imported file defines. */
function expand(tokens: readonly Token[], given: Given, within: 'file' | 'block') {
  const expanded: Token[] = [];
  const isInDefinition = createDefinitions(within === 'file' ? 0 : 1);
  const parts = partsOf(given.block);
  let characters = 0;
  for (const token of tokens) {
    // A block may be asked for a million times: what is too much is refused behind this, by the stream.
    if (expanded.length > LIMITS.tokens || characters > LIMITS.characters) break;
    const filled = isInDefinition(token, expanded.at(-1)) ? [token] : fill(token, given, parts);
    for (const one of filled) {
      expanded.push(one);
      characters += one.text.length;
    }
  }
  return expanded;
}

function fill(token: Token, given: Given, parts: ReturnType<typeof partsOf>): readonly Token[] {
  if (token.text === '{block}') return given.block;
  if (token.text.startsWith('{blocks.') && token.text.endsWith('}')) {
    return parts.get(token.text.slice('{blocks.'.length, -1)) ?? [];
  }
  return fillIn(token, given.args);
}

/** Says of each token whether it stands in the definition of a snippet; as simple as Caddy's own guess. */
function createDefinitions(nesting: number) {
  let [isIn, mayBe, index] = [false, false, 0];
  return (token: Token, before: Token | undefined): boolean => {
    if (!isIn && nesting === 0) {
      index = isNewLine(before, token) ? 0 : index + 1;
      if (index === 0 && /^\(.+\)$/s.test(token.text)) mayBe = true;
    }
    if (isOpen(token)) {
      nesting++;
      if (index === 1 && mayBe && nesting === 1) [isIn, mayBe] = [true, false];
    } else if (isClose(token) && --nesting === 0) isIn = false;
    return isIn;
  };
}
