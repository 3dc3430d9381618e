// How this program is called in a shell, so that the commands that are told can be copied. Pure.
import { basename, dirname } from 'node:path';

/** Returns `signet` where it was called by its installed name, else Node and the path of the program. */
export function programName(argv: readonly string[]): string {
  const [node = 'node', program = 'signet'] = argv;
  // npx calls it by a folder of its own, which is on nobody's PATH.
  const isInstalled = basename(program) === 'signet' && basename(dirname(program)) !== '.bin';
  return isInstalled ? 'signet' : `${inShell(node)} ${inShell(program)}`;
}

function inShell(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
