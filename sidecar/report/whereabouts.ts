// Where the record is for the commands that change or prove it, and how they open it. What they share
// with those that only read is in command-store.ts.
import { join } from 'node:path';
import type { Command } from 'commander';
import { Fault } from '../fault.ts';
import { reading, type ReadPlace } from './command-store.ts';
import type { Database } from '../audit/database.ts';
import { openDatabase } from '../audit/open.ts';
import type { AuditReader } from '../audit/reader.ts';
import type { PublicKeys, SigningKey } from '../audit/signing-key.ts';

/** Nothing of it is made by asking. */
export type Whereabouts = {
  readonly place: ReadPlace;
  readonly stateFolder: string;
  /** In a database of several chains the one of this state folder, if it has one. */
  readonly chain?: string;
  /** Where the sidecar appends the heads that it signs. */
  readonly headsFile: string;
  /** Public keys of the key ring; none where there is no ring. Throws ERR_KEYS for a damaged one. */
  readonly publicKeys: () => PublicKeys;
  /** Throws ERR_KEYS where there is no key ring. */
  readonly signingKey: () => SigningKey;
  /** Names of the destinations that are configured; undefined where the configuration isn't whole. */
  readonly destinations: () => readonly string[] | undefined;
};

/** What these commands are made of. */
export type RecordParts = {
  /** By the settings; or of the state folder that is named, which then holds all of it. */
  readonly locate: (state: string | undefined) => Whereabouts;
};

/** Returns the option `--state`, which may stand before the subcommand as well. */
export function stateOf(command: Command): string | undefined {
  const { state } = command.opts<{ state?: string }>();
  return state ?? command.parent?.opts<{ state?: string }>().state;
}

/** Runs `work` with a reader, as `reading` does. */
export function readingAt(
  { place }: Whereabouts,
  work: (reader: AuditReader) => Promise<void>,
): Promise<void> {
  return reading({}, { defaultPlace: () => place, spansOf: () => [] }, work);
}

/** Returns what `work` returns, with the database opened for writing one chain. */
export async function writing<T>(
  { place }: Whereabouts,
  chain: string,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const database = await openDatabase('url' in place ? { ...place, chain } : place);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** Returns the chain that is this sidecar's own. Throws ERR_AUDIT_STORE where that can't be told. */
export async function ownChain(
  { place, chain, stateFolder }: Whereabouts,
  reader: AuditReader,
): Promise<string> {
  const chains = await reader.chains();
  const own = 'url' in place ? chain : chains[0];
  if (own !== undefined && chains.includes(own)) return own;
  const file = join(stateFolder, 'chain');
  const problem =
    'url' in place ? `${file} names no chain of this database` : 'it has no chain yet';
  throw new Fault(
    'ERR_AUDIT_STORE',
    `The audit store can't tell which rows are meant: ${problem}.`,
  );
}
