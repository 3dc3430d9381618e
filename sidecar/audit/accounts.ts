// What a chain knows of each boot's decisions: up to which number it has heard, and which of them it
// has not heard of. Kept in the transaction of the rows; how ranges are reckoned is in account.ts.
import { newAccount, only, settleRanges, type BootAccount, type Range } from './account.ts';
import type { Queries } from './database.ts';
import { isRequest, type Row, type RowGate } from './row.ts';

/** Numbers of one boot that are accounted for. */
export type Settled = { readonly bootId: string; readonly ranges: readonly Range[] };

export type Accounts = {
  /** Returns the numbers that rows carry, and those that they supersede. */
  numbersOf(rows: readonly Row[]): readonly Settled[];
  settle(queries: Queries, settled: readonly Settled[]): Promise<void>;
  /** Returns whether a decision is accounted for already. */
  settled(queries: Queries): Promise<(gate: RowGate) => boolean>;
  all(queries: Queries): Promise<readonly BootAccount[]>;
  /** A transaction was undone. */
  forget(): void;
};

/** Returns the accounts of one chain; only its own process writes them, so they are remembered. */
export function createAccounts(chain: string): Accounts {
  let remembered: Map<string, BootAccount> | undefined;

  async function load(queries: Queries): Promise<Map<string, BootAccount>> {
    remembered ??= await read(queries, chain);
    return remembered;
  }

  async function settleAll(queries: Queries, settled: readonly Settled[]): Promise<void> {
    if (settled.length === 0) return;
    const accounts = await load(queries);
    for (const { bootId, ranges } of merged(settled)) {
      const before = accounts.get(bootId) ?? newAccount(bootId);
      const after = settleRanges(before, ranges);
      await write(queries, chain, before, after);
      accounts.set(bootId, after);
    }
  }

  return {
    numbersOf,
    settle: settleAll,
    settled: async (queries) => {
      const accounts = await load(queries);
      return ({ bootId, number }) => isSettled(accounts.get(bootId), number);
    },
    all: async (queries) => [...(await load(queries)).values()],
    forget: () => (remembered = undefined),
  };
}

function isSettled(account: BootAccount | undefined, number: number): boolean {
  if (account === undefined || number > account.highest) return false;
  return !account.gaps.some(({ first, last }) => first <= number && number <= last);
}

function numbersOf(rows: readonly Row[]): readonly Settled[] {
  return rows
    .filter(isRequest)
    .flatMap(({ gate }) => (gate === undefined ? [] : [gate]))
    .map(({ bootId, number, supersedes }) => ({
      bootId,
      ranges: supersedes === undefined ? [only(number)] : [only(number), only(supersedes)],
    }));
}

function merged(settled: readonly Settled[]): readonly Settled[] {
  const byBoot = new Map<string, Range[]>();
  for (const { bootId, ranges } of settled) {
    const all = byBoot.get(bootId) ?? [];
    for (const range of ranges) all.push(range);
    byBoot.set(bootId, all);
  }
  return [...byBoot].map(([bootId, ranges]) => ({ bootId, ranges }));
}

/** Reads the accounts as they stand in the store. */
export async function read(queries: Queries, chain: string): Promise<Map<string, BootAccount>> {
  const boots = await queries.all('SELECT boot_id, highest FROM boots WHERE chain = ?', [chain]);
  const gaps = await queries.all(
    'SELECT boot_id, first, last FROM gaps WHERE chain = ? ORDER BY boot_id, first',
    [chain],
  );
  const accounts = boots.map(({ boot_id: bootId, highest }) => ({
    bootId: String(bootId),
    highest: Number(highest),
    gaps: gaps
      .filter((gap) => gap['boot_id'] === bootId)
      .map((gap) => ({ first: Number(gap['first']), last: Number(gap['last']) })),
  }));
  return new Map(accounts.map((account) => [account.bootId, account]));
}

async function write(queries: Queries, chain: string, before: BootAccount, after: BootAccount) {
  const { bootId } = after;
  if (after.highest !== before.highest) {
    await queries.run(
      'INSERT INTO boots (boot_id, highest) VALUES (?, ?) ' +
        'ON CONFLICT (chain, boot_id) DO UPDATE SET highest = excluded.highest',
      [bootId, after.highest],
    );
  }
  const gone = missingIn(before.gaps, after.gaps);
  for (const { first } of gone) {
    const sql = 'DELETE FROM gaps WHERE chain = ? AND boot_id = ? AND first = ?';
    await queries.run(sql, [chain, bootId, first]);
  }
  const fresh = missingIn(after.gaps, before.gaps);
  await queries.insert(
    'gaps',
    ['boot_id', 'first', 'last'],
    fresh.map(({ first, last }) => [bootId, first, last]),
  );
}

// By identity: a gap that stays as it is stays the same object. There may be thousands.
function missingIn(ranges: readonly Range[], others: readonly Range[]): readonly Range[] {
  const there = new Set(others);
  return ranges.filter((range) => !there.has(range));
}
