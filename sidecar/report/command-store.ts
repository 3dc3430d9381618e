// What the commands of `signet audit` share: how they find and open the store, what they end with, and
// how they print.
import { join } from 'node:path';
import { isNativeError } from 'node:util/types';
import type { Command, CommanderError } from 'commander';
import { explain, Fault } from '../fault.ts';
import { AUDIT_STORE_FILE, openAuditReader } from '../audit/open.ts';
import type { AuditReader, ReadRow } from '../audit/reader.ts';
import type { RequestRow } from '../audit/row.ts';
import type { TreeSpan } from './tree.ts';

/** A file, or the URL of a database. */
export type ReadPlace = { readonly path: string } | { readonly url: string };

/** What the commands are made of. */
export type AuditCommandParts = {
  /** Where the store is when `--state` names no folder. */
  readonly defaultPlace: () => ReadPlace;
  readonly spansOf: (row: ReadRow & RequestRow) => readonly TreeSpan[];
};

export const EXIT_FOUND_NOTHING = 1;
export const EXIT_USAGE = 2;
// As sysexits.h has them.
export const EXIT_NO_STORE = 66;
export const EXIT_UNAVAILABLE = 69;
export const EXIT_CANNOT_CREATE = 73;
export const EXIT_IO = 74;

/** What the help of every command says of the store. */
export const STORE_EXIT_CODES = `  66  there is no audit store yet
  69  the database with the store can't be reached
  74  the store is damaged, or was written by a newer Signet`;

const STATE_HELP = 'the state folder with the store (default: SIGNET_STATE, SIGNET_AUDIT_STORE)';

/** Returns a command as it stands here: with `--state`, and with its own code for what is typed wrong. */
export function storeCommand<T extends Command>(command: T, help: string): T {
  return command
    .option('--state <folder>', STATE_HELP)
    .addHelpText('after', help)
    .exitOverride(exitAsUsage);
}

/** Runs `work` with the reader of a store; without a store it says so, and the exit code is set. */
export async function reading(
  { state }: { readonly state?: string },
  { defaultPlace }: AuditCommandParts,
  work: (reader: AuditReader) => Promise<void>,
): Promise<void> {
  const place = state === undefined ? defaultPlace() : { path: join(state, AUDIT_STORE_FILE) };
  // The reader of our output may stop reading, as `head` does: that is its good right.
  process.stdout.on('error', () => undefined);
  try {
    const reader = await readerOf(place);
    if (reader !== undefined) await closing(reader, work);
  } catch (error) {
    if (isClosedPipe(error)) return;
    if (!(error instanceof Fault) || error.code !== 'ERR_AUDIT_STORE') throw error;
    process.stderr.write(`signet: ${explain(error)}\n`);
    process.exitCode = 'url' in place ? EXIT_UNAVAILABLE : EXIT_IO;
  }
}

async function closing(
  reader: AuditReader,
  work: (reader: AuditReader) => Promise<void>,
): Promise<void> {
  try {
    await work(reader);
  } finally {
    await reader.close();
  }
}

async function readerOf(place: ReadPlace): Promise<AuditReader | undefined> {
  try {
    return await openAuditReader(place);
  } catch (error) {
    const isMissing = error instanceof Fault && error.code === 'ERR_AUDIT_STORE';
    if (!isMissing || 'url' in place) throw error;
    const mend = 'Name the state folder of `signet serve` by --state or SIGNET_STATE.';
    process.stderr.write(`${error.message} ${mend}\n`);
    process.exitCode = EXIT_NO_STORE;
    return undefined;
  }
}

/** Resolves when standard output has taken the text; rejects when nobody reads it any longer. */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** Says something to people, beside the output. */
export function say(text: string): void {
  process.stderr.write(text);
}

/** Returns whether people read the output. */
export function isTerminal(): boolean {
  return process.stdout.isTTY;
}

export function hasColours(): boolean {
  return process.stdout.isTTY && process.stdout.hasColors();
}

/** Returns how many characters wide the terminal is; undefined for what is none, or says 0: it doesn't know. */
export function terminalWidth(): number | undefined {
  return (process.stdout.columns as number | undefined) || undefined;
}

function isClosedPipe(error: unknown): boolean {
  return isNativeError(error) && 'code' in error && error.code === 'EPIPE';
}

/** Ends the process: Commander’s own code for a wrong option is 1; here that means that nothing was found. */
export function exitAsUsage({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? 0 : EXIT_USAGE);
}
