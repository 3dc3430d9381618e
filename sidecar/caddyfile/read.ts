// Reads a Caddyfile and all that it imports into a tree. The room's door: pure, because files come from what
// it is handed; nothing is thrown, because what is wrong in a file is told as a value.
import { parseAddress } from './address.ts';
import { readBody } from './body.ts';
import { createImports, type Imports } from './imports.ts';
import type { CaddyfileProblem } from './problem.ts';
import type { Reading } from './sources.ts';
import { createStream, type Stream } from './stream.ts';
import { isClose, isOpen, type Token } from './token.ts';
import type { CaddyfileTree, Directive, Named, Site } from './tree.ts';

/** What is read: an absolute path, and its text where the caller has it already. */
export type Wish = Reading & { readonly path: string; readonly text?: string };

type Found = { global?: Named; sites: Site[]; namedRoutes: Named[]; snippets: Named[] };

/** Returns the tree, or why there is none. */
export function readCaddyfile(
  wish: Wish,
): { readonly tree: CaddyfileTree } | { readonly problem: CaddyfileProblem } {
  const stream = createStream(wish.path);
  const imports = createImports(wish);
  const found: Found = { sites: [], namedRoutes: [], snippets: [] };
  stream.splice(imports.open(stream, wish.path, wish.text), undefined);
  while (stream.next()) readOne(stream, imports, found);
  const problem = stream.problem();
  if (problem !== undefined) return { problem };
  return { tree: { file: wish.path, ...found, files: imports.files() } };
}

/** One block of the file: its keys, and then what kind of block they make it. */
function readOne(stream: Stream, imports: Imports, found: Found): void {
  const keys = readKeys(stream, imports);
  const only = keys.tokens.length === 1 ? keys.tokens[0]!.text : '';
  const [, ampersand, name] = /^(&?)\((.*)\)$/s.exec(only) ?? [];
  const body = () => readBody(stream, true, (at) => imports.follow(at, 'block'));
  if (keys.atEnd) return addSite(found, keys.tokens, []);
  const opening = stream.current()!;
  if (name !== undefined && !isOpen(opening)) {
    return stream.stop('syntax', `${only} has no block`, opening);
  }
  if (ampersand === '&') {
    found.namedRoutes.push(named(name!, keys.tokens[0]!, body()));
  } else if (name !== undefined) {
    found.snippets.push(readSnippet(stream, imports, name, keys.tokens[0]!));
  } else if (keys.tokens.length === 0) {
    if (found.global !== undefined || found.sites.length > 0) {
      stream.stop('syntax', 'a block without an address must be the first', opening);
    }
    found.global = named('', opening, body());
  } else addSite(found, keys.tokens, readSite(stream, imports));
}

function readSite(stream: Stream, imports: Imports): readonly Directive[] {
  const braces = isOpen(stream.current()!);
  if (!braces) stream.unread();
  return readBody(stream, braces, (at) => imports.follow(at, 'block'));
}

function addSite(found: Found, keys: readonly Token[], directives: readonly Directive[]): void {
  const [first] = keys;
  if (first === undefined) return;
  const { file, line, importedAt } = first;
  const addresses = keys.map((key) => parseAddress(key.text, key.givenAt ?? key));
  found.sites.push({ file, line, addresses, directives, ...(importedAt && { importedAt }) });
}

function named(name: string, at: Token, directives: readonly Directive[]): Named {
  const { file, line, importedAt } = at;
  return { file, line, name, directives, ...(importedAt && { importedAt }) };
}

/** Keeps a snippet's tokens for its imports, and reads them once as they are. */
function readSnippet(stream: Stream, imports: Imports, name: string, at: Token): Named {
  if (imports.isDefined(name)) stream.stop('syntax', `the snippet ${name} is defined twice`, at);
  const tokens: Token[] = [];
  let depth = 1;
  while (depth > 0 && stream.next()) {
    const token = stream.current()!;
    if (isOpen(token)) depth++;
    if (isClose(token)) depth--;
    if (depth > 0) tokens.push({ ...token, snippet: name });
  }
  if (depth > 0) stream.stop('syntax', `the block of ${at.text} is not closed`, at);
  imports.define(name, tokens);
  const asWritten = createStream(at.file);
  asWritten.splice(tokens, undefined);
  return named(name, at, readBody(asWritten, false));
}

/** Reads the addresses in front of a block; the stream then stands at what follows them. */
function readKeys(stream: Stream, imports: Imports): { tokens: Token[]; atEnd: boolean } {
  const tokens: Token[] = [];
  let isExpecting = false;
  for (;;) {
    const token = stream.current()!;
    if (token.text === 'import' && stream.beginsLine()) {
      imports.follow(stream, 'file');
      if (!stream.next()) return { tokens, atEnd: true };
      continue;
    }
    if (isOpen(token)) {
      if (isExpecting) stream.stop('syntax', 'an address is missing behind a comma', token);
      return { tokens, atEnd: stream.problem() !== undefined };
    }
    isExpecting = takeKey(stream, token, tokens) ?? isExpecting;
    if (!stream.next()) {
      if (isExpecting) stream.stop('syntax', 'an address is missing behind a comma', token);
      return { tokens, atEnd: true };
    }
    if (!isExpecting && stream.beginsLine()) return { tokens, atEnd: false };
  }
}

/** Takes an address; returns whether a comma says that another follows, undefined where there was no text. */
function takeKey(stream: Stream, token: Token, into: Token[]): boolean | undefined {
  const text = token.text.replace(/,$/, '');
  if (token.text.startsWith('@'))
    stream.stop('syntax', 'a matcher stands outside of a site', token);
  if (text.includes(',')) stream.stop('syntax', 'an address holds a comma', token);
  if (token.text.endsWith('{') && token.quote === '') {
    stream.stop('syntax', 'an address ends with a brace', token);
  }
  if (text !== '') into.push({ ...token, text });
  return token.text === '' ? undefined : token.text.endsWith(',');
}
