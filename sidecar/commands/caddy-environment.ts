// The variables of a Caddyfile: those of the environment, and then those of the files that were named for it.
import { parseEnv } from 'node:util';
import { filesOnDisk } from '../caddyfile/on-disk.ts';
import { explain } from '../fault.ts';
import { visible } from '../visible.ts';

/** Returns them, or a sentence that says which file can't be read. As in Caddy, what is set already is not set anew. */
export function caddyEnvironment(
  env: NodeJS.ProcessEnv,
  files: readonly string[],
): { readonly env: NodeJS.ProcessEnv } | { readonly problem: string } {
  let all = env;
  for (const file of files) {
    const text = textOf(file);
    if (typeof text !== 'string') return { problem: visible(`--envfile ${file}: ${text.problem}`) };
    all = { ...parseEnv(text), ...all };
  }
  return { env: all };
}

function textOf(file: string): string | { readonly problem: string } {
  try {
    return filesOnDisk.readFile(file) ?? { problem: 'there is no such file' };
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : '';
    if (code === 'EISDIR') return { problem: 'it is a folder; name the file' };
    return { problem: code === 'EACCES' ? 'it may not be read' : explain(error) };
  }
}
