// What Caddy makes of a configuration file: `caddy adapt`, or the file itself where it is JSON. Asks Caddy and writes
// nothing; `caddy validate` would open the logs that the file names.
import { constants, open } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { isNativeError } from 'node:util/types';
import { visible } from '../visible.ts';
import { runBounded } from './run-bounded.ts';

export type AdaptOptions = {
  readonly path: string;
  /** The program; undefined where there is none, and then JSON alone can be read. */
  readonly caddy: string | undefined;
  /** The file's `{$NAME}` are those of it. */
  readonly env: NodeJS.ProcessEnv;
  /** As Caddy's own `--envfile`. */
  readonly envFiles?: readonly string[] | undefined;
  /** Default 30 s. */
  readonly withinMs?: number | undefined;
};

export type AdaptedFile =
  | {
      readonly json: string;
      /** The file was JSON itself. */
      readonly isJson: boolean;
      readonly warnings: readonly string[];
    }
  | { readonly problem: string };

const WITHIN_MS = 30_000;
/** A thousand sites behind `protect` are some 30 MB. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_WORDS = 1000;
const MAX_WARNINGS = 20;
/** What an adapter that isn't Caddy's own reads. */
const FOREIGN = ['.yaml', '.yml', '.toml', '.jsonc', '.json5', '.hcl', '.cue', '.nginx', '.conf'];

/** Returns the configuration as JSON with what Caddy warned of, or a sentence that says why not. Never throws. */
export async function adaptFile(options: AdaptOptions): Promise<AdaptedFile> {
  const { path } = options;
  const read = await readText(path);
  if ('problem' in read) return { problem: visible(`${path}: ${read.problem}`) };
  if (isJson(path, read.text)) return { json: read.text, isJson: true, warnings: [] };
  const extension = extname(path).toLowerCase();
  if (FOREIGN.includes(extension) && !basename(path).startsWith('Caddyfile')) {
    const mend = 'adapt it first: caddy adapt --adapter NAME --config FILE > caddy.json';
    return { problem: visible(`${path}: ${extension} is read by an adapter of its own; ${mend}`) };
  }
  return adaptCaddyfile(options);
}

// As Caddy has it, or by what it is: a Caddyfile that begins with its global options is no JSON.
function isJson(path: string, text: string): boolean {
  if (extname(path).toLowerCase() === '.json') return true;
  if (!/^\uFEFF?\s*\{/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function adaptCaddyfile(options: AdaptOptions): Promise<AdaptedFile> {
  const { path, caddy, env, envFiles = [], withinMs = WITHIN_MS } = options;
  if (caddy === undefined) return { problem: 'there is no Caddy to ask what it makes of the file' };
  const args = ['adapt', '--config', path, '--adapter', 'caddyfile'];
  for (const file of envFiles) args.push('--envfile', file);
  const ended = await runBounded({ file: caddy, args, env, withinMs, maxBytes: MAX_BYTES });
  if ('problem' in ended) return { problem: visible(`${caddy} adapt: ${ended.problem}`) };
  const { code, stdout, stderr } = ended;
  if (code === 0) return { json: stdout, isJson: false, warnings: warningsIn(stderr) };
  return { problem: reasonIn(stderr) ?? visible(`${caddy} adapt ended with ${code}`) };
}

// Of lines that Caddy logs beside it: what it says of the file, without what `caddy fmt` would do.
function warningsIn(stderr: string): string[] {
  const told = stderr.split('\n').flatMap((line) => {
    const { logger, msg, file, line: number } = loggedIn(line);
    if (logger !== 'caddyfile' || typeof msg !== 'string' || msg.includes('caddy fmt')) return [];
    const where = typeof file === 'string' ? `${file}:${Number(number)}: ` : '';
    return [visible(`${where}${msg}`.slice(0, MAX_WORDS))];
  });
  return told.slice(0, MAX_WARNINGS);
}

// "Error: Caddyfile:2: unrecognized directive: bogus", last, behind what it logs; Caddy 2.11.9 logs that, too.
function reasonIn(stderr: string): string | undefined {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const from = lines.findLastIndex((line) => line.startsWith('Error: '));
  const { level, msg } = loggedIn(lines.at(-1) ?? '');
  const isLogged = from === -1 && level === 'error' && typeof msg === 'string';
  const words = isLogged ? msg : lines.slice(from === -1 ? -1 : from).join(' ');
  const reason = words.replace(/^Error: /, '').slice(0, MAX_WORDS);
  return reason === '' ? undefined : visible(reason);
}

function loggedIn(line: string): Partial<Record<string, unknown>> {
  if (!line.startsWith('{')) return {};
  try {
    return Object(JSON.parse(line));
  } catch {
    return {};
  }
}

// Bounded, because a device has no end; and without waiting for who writes into a pipe.
async function readText(
  path: string,
): Promise<{ readonly text: string } | { readonly problem: string }> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (stat.isDirectory()) return { problem: 'it is a folder; name the file' };
    if (!stat.isFile()) return { problem: 'it is no file' };
    if (stat.size > MAX_BYTES) return { problem: `it is larger than ${MAX_BYTES} bytes` };
    return { text: await file.readFile('utf8') };
  } catch (error) {
    const code = isNativeError(error) && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return { problem: 'there is no such file' };
    if (code === 'EACCES') return { problem: 'it may not be read' };
    return { problem: isNativeError(error) ? error.message : 'it can’t be read' };
  }
}
