// What Caddy makes of a file, in words that lead on: behind Caddy's own stands what the mistake usually is. Reads the
// Caddyfile's files only where Caddy refused or warned.
import { resolve } from 'node:path';
import { filesOnDisk } from '../caddyfile/on-disk.ts';
import { readCaddyfile } from '../caddyfile/read.ts';
import { adaptFile, type AdaptedFile } from '../edge/adapt.ts';
import { visible } from '../visible.ts';

export type ToldOptions = {
  readonly path: string;
  readonly caddy: string | undefined;
  /** Of this command; Caddy reads the files itself. */
  readonly env: NodeJS.ProcessEnv;
  readonly envFiles: readonly string[];
  /** With what the files set. */
  readonly allEnv: NodeJS.ProcessEnv;
};

/** Of names that are not set. */
const MOST_NAMES = 12;
const SNIPPETS = ['signet', 'protect', 'unprotected'];
const USAGES: Readonly<Record<string, string>> = {
  protect: '`import protect NAME REQUIREMENT { … }`, without a space in either (`team:a,b`)',
  unprotected: '`import unprotected NAME { … }`, without a requirement',
};

/** Returns what `adaptFile` does, with hints in its sentences. Never throws. */
export async function adaptTold(options: ToldOptions): Promise<AdaptedFile> {
  const adapted = await adaptFile(options);
  if (!('problem' in adapted)) return { ...adapted, warnings: [...new Set(adapted.warnings)] };
  const unset = unsetIn(options);
  const hints = [...hintsFor(adapted.problem), ...(unset.length === 0 ? [] : [unsetText(unset)])];
  return { problem: [adapted.problem, ...hints].join('; ') };
}

function hintsFor(problem: string): string[] {
  if (problem === 'EOF') return ['there is nothing in the file'];
  if (problem.includes("directive 'log' is not an ordered HTTP handler")) {
    const [, block = 'a block'] = /tokens for '([\w-]+)'/.exec(problem) ?? [];
    return [
      `does \`import signet\` stand inside ${block}? It belongs at the top level of the site`,
    ];
  }
  if (problem.includes('matcher is defined more than once: @signet_')) {
    return [
      'does `import signet` stand twice in one site, or has a matcher of yours a name of its own? Those begin with `@signet_`',
    ];
  }
  const miscounted = miscountIn(problem);
  if (miscounted !== undefined) return [miscounted];
  const [, name] = /File to import not found: ([^\s,]+)/.exec(problem) ?? [];
  return name === undefined ? [] : notFound(name);
}

// Caddy names the word behind which it wanted none, or `{args[…]}` where one is missing; and whence it came there.
function miscountIn(problem: string): string | undefined {
  const [, word = ''] = /unexpected line ending after '(.*?)', at /.exec(problem) ?? [];
  const [, file = '', end = '', snippet = ''] =
    /'([^',]*):(\d+) \(import (protect|unprotected)\)'/.exec(problem) ?? [];
  const usage = USAGES[snippet];
  if (word === '' || usage === undefined) return undefined;
  const place = `${file}:${importLine(file, Number(end), snippet)}`;
  if (word.startsWith('{args[')) return `${place} has too few words: ${usage}`;
  return `${place} has a word too many, ${word}: ${usage}`;
}

// Of an import with a block Caddy gives the line where that ends.
function importLine(file: string, end: number, snippet: string): number {
  const lines = filesOnDisk.readFile(resolve(file))?.split('\n').slice(0, end) ?? [];
  const at = lines.findLastIndex((line) => line.trim().startsWith(`import ${snippet}`));
  return at < 0 ? end : at + 1;
}

function notFound(name: string): string[] {
  if (SNIPPETS.includes(name)) {
    const mend = '`import signet.caddy` at the top of the file, before the sites';
    return [`${name} is a snippet of signet.caddy, which is not imported: ${mend}`];
  }
  const meant = SNIPPETS.find((snippet) => distance(name.toLowerCase(), snippet) <= 2);
  return meant === undefined ? [] : [`is the snippet ${meant} meant?`];
}

// Levenshtein's, of short words.
function distance(one: string, other: string): number {
  let before = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [row, char] of Array.from(one).entries()) {
    const line = [row + 1];
    for (const [at, wanted] of Array.from(other).entries()) {
      const changed = (before[at] ?? 0) + (char === wanted ? 0 : 1);
      line.push(Math.min((before[at + 1] ?? 0) + 1, (line[at] ?? 0) + 1, changed));
    }
    before = line;
  }
  return before.at(-1) ?? 0;
}

function unsetText(names: readonly string[]): string {
  const more = names.length > MOST_NAMES ? ', …' : '';
  const told = names.slice(0, MOST_NAMES).join(', ') + more;
  return visible(`not set here: ${told}; name the environment of Caddy by --envfile`);
}

// Also of a file that can't be read as a whole: what was read until then.
function unsetIn({ path, allEnv }: ToldOptions): string[] {
  const texts: string[] = [];
  const readFile = (file: string) => {
    const text = filesOnDisk.readFile(file);
    if (text !== undefined) texts.push(text);
    return text;
  };
  readCaddyfile({ path: resolve(path), env: allEnv, ...filesOnDisk, readFile });
  const names = texts.flatMap(withoutDefault).filter((name) => allEnv[name] === undefined);
  return [...new Set(names)];
}

// Caddy fills in comments, too, but nothing comes of it there.
function withoutDefault(text: string): string[] {
  const code = text.replaceAll(/(?:^|(?<=\s))#.*/gm, '');
  return [...code.matchAll(/\{\$([^{}:\s]+)\}/g)].flatMap(([, name]) => name ?? []);
}
