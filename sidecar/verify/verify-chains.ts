// Which chains are to be verified: all of which anything is left, whether the store lists them or not,
// and all of which heads were published. What is missing as a whole is told here.
import type { Columns } from '../audit/database.ts';
import type { Finding } from './finding.ts';
import type { Head } from '../audit/head.ts';
import type { AuditReader } from '../audit/reader.ts';
import type { PublicKeys } from '../audit/signing-key.ts';
import { verify, type Verification } from './verify.ts';

/** Tables with a chain in front of their primary key. */
const TABLES = ['notes', 'heads', 'stubs', 'persons'] as const;

/** Returns the chains in the store, sorted. */
export async function chainsIn(
  reader: Pick<AuditReader, 'all' | 'chainsOfRows'>,
): Promise<readonly string[]> {
  const chains = new Set(await reader.chainsOfRows());
  for (const table of TABLES) {
    const sql = `SELECT chain FROM ${table} WHERE chain > ? ORDER BY chain LIMIT 1`;
    for (let after: string | undefined = ''; after !== undefined;) {
      const [found]: Columns[] = await reader.all(sql, [after]);
      after = found && String(found['chain']);
      if (after !== undefined) chains.add(after);
    }
  }
  return [...chains].toSorted();
}

/** Returns the published heads by their chain. */
export function byChain(heads: readonly Head[]): ReadonlyMap<string, readonly Head[]> {
  const chains = new Map<string, Head[]>();
  for (const head of heads) {
    const known = chains.get(head.chain);
    if (known === undefined) chains.set(head.chain, [head]);
    else known.push(head);
  }
  return chains;
}

/** Returns what is said of a chain that is not in the store, though heads of it were published. */
export async function verifyMissing(
  chain: string,
  published: readonly Head[],
  publicKeys: PublicKeys,
  store: readonly Finding[] = [],
): Promise<Verification> {
  async function* none(): AsyncGenerator<Columns> {}
  const evidence = { chain, rows: none(), persons: new Map(), heads: [], published, store };
  const { findings, findingCount, ...rest } = await verify(evidence, publicKeys);
  // That all its rows are cut off says the same, and less.
  const others = findings.filter(({ kind }) => kind !== 'cut' && kind !== 'key-unknown');
  const untold = findings.length - others.length - 1;
  return {
    ...rest,
    findings: [missing(published), ...others],
    findingCount: findingCount - untold,
  };
}

function missing(published: readonly Head[]): Finding {
  const last = published.reduce((highest, { sequence }) => Math.max(highest, sequence), 0);
  const count = new Set(published.map(({ signature }) => signature)).size; // of several files
  const text =
    `${count} published heads are of this chain, up to row ${last}, and nothing of it is in ` +
    'this store: it is not the store that they are of. If the store was moved away on purpose and a ' +
    'new one begun, move its heads file away with it; if the file holds heads of several ' +
    'installations, name the chain with --chain.';
  return { kind: 'chain-missing', sequence: 0, text };
}
