// Where the block of an explanation stands in the Caddyfile, as `FILE:LINE`.
import { relative, resolve } from 'node:path';
import { locate, type Located, placeOutside, type Wanted } from '../caddyfile/locate.ts';
import { filesOnDisk } from '../caddyfile/on-disk.ts';
import { readCaddyfile } from '../caddyfile/read.ts';
import type { CaddyfileTree, Directive } from '../caddyfile/tree.ts';
import type { Told } from '../explain/explain.ts';
import type { Served } from '../explain/way.ts';

const SHIPPED = /(?:^|\/)signet\.caddy$/;
/** What a block may be made with. */
const ANSWERING = [
  'respond',
  'redir',
  'reverse_proxy',
  'file_server',
  'php_fastcgi',
  'error',
  'abort',
  'metrics',
  'acme_server',
];
const AROUND = ['route', 'forward_auth', 'reverse_proxy'];

/** Returns a function that finds the line; one that finds none where the file can't be read so. */
export function createLines(
  path: string,
  env: NodeJS.ProcessEnv,
  port: number,
): (told: Told) => string | undefined {
  const read = readCaddyfile({ path: resolve(path), env, ...filesOnDisk });
  if (!('tree' in read)) return () => undefined;
  return (told) => {
    const wanted = wantedOf(told, String(port));
    const located = (wanted && locate(read.tree, wanted)) ?? alone(read.tree, told, String(port));
    const place = located && placeOutside(located, (file) => SHIPPED.test(file));
    return place && `${shown(place.file)}:${place.line}`;
  };
}

// A block with a gate or a declaration is found by its name, what has none by what answers.
function wantedOf({ asked, open, served, hosts }: Told, port: string): Wanted | undefined {
  const site = { port, hosts: hosts ?? [] };
  const name =
    (asked.findLast(({ verdict }) => verdict.decision !== 'allow') ?? asked.at(-1))?.verdict
      .route ?? open;
  if (name !== undefined && name !== '') return { ...site, directives: AROUND, within: [name] };
  const words = wordsOf(served);
  return words.length === 0 ? undefined : { ...site, directives: ANSWERING, words };
}

// What `php_fastcgi` brings besides the app (a redirect, a file that is none of its) has no words of the Caddyfile:
// it is told where there is only one that it can be.
function alone(
  tree: CaddyfileTree,
  { asked, open, served, hosts, when }: Told,
  port: string,
): Located | undefined {
  if (asked.length > 0 || open !== undefined) return undefined;
  const isOfPhp = when.flat().some((words) => words.includes('index.php on the disk'));
  const own = served.by === 'handler' ? [served.what] : [];
  const directives = own.length > 0 || !isOfPhp ? own : ['php_fastcgi'];
  const wanted = { port, hosts: hosts ?? [], directives };
  const sites = tree.sites.map((site) => ({ ...site, directives: openOf(site.directives) }));
  const bare = { ...tree, sites };
  const isAlone = locate(bare, { ...wanted, nth: 1 }) === undefined;
  return directives.length > 0 && isAlone ? locate(bare, wanted) : undefined;
}

// What stands in no block of Signet's.
function openOf(directives: readonly Directive[]): Directive[] {
  return directives
    .filter(({ importedAt }) => !['protect', 'unprotected'].includes(importedAt?.name ?? ''))
    .map((directive) => ({ ...directive, block: openOf(directive.block) }));
}

function wordsOf(served: Served): string[] {
  if (served.by === 'proxy') return [...served.dials];
  if (served.by === 'response') return served.body ? [served.body] : [];
  return served.by === 'redirect' && served.to !== undefined ? [served.to] : [];
}

function shown(file: string): string {
  const path = relative('', file);
  return path.startsWith('..') ? file : path;
}
