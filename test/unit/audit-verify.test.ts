// The verification of a chain: each kind of tampering is found and the rows are named, and nothing is
// found where nothing was done.
import { createSecretKey } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Columns } from '../../sidecar/audit/database.ts';
import { isAbout, MAX_FINDINGS, type Finding } from '../../sidecar/verify/finding.ts';
import { signStub } from '../../sidecar/audit/head.ts';
import { PROGRESS_ROWS, verify } from '../../sidecar/verify/verify.ts';
import { unreadable } from '../../sidecar/verify/verify-row.ts';
import { verifyMissing } from '../../sidecar/verify/verify-chains.ts';
import { forgottenDetails } from '../../sidecar/audit/forgotten.ts';
import {
  aChain,
  CHAIN,
  erase,
  FIRST_KEY,
  forgotten,
  hashed,
  headAt,
  INTRUDER_KEY,
  namedAs,
  rehashed,
  removeUpTo,
  RETIRED_KEY,
  verified,
  type TestChain,
} from '../fixtures/chains.ts';
import { createRandom } from '../fixtures/random.ts';
import { change, swap, TAMPERINGS } from '../fixtures/tamperings.ts';

/** Twelve rows of four persons, with heads at the rows 4, 8 and 12, which are published. */
const SOUND = soundChain();

function soundChain(): TestChain {
  const options = { rows: 12, headPercent: 0, forgetPercent: 0, removePercent: 0 };
  const chain = aChain(1, options);
  const heads = [4, 8, 12].map((sequence) => headAt(chain.rows[sequence - 1]!, FIRST_KEY));
  return { ...chain, heads, published: heads };
}

async function findingsOf(chain: TestChain): Promise<readonly Finding[]> {
  return (await verified(chain)).findings;
}

/** Returns the findings without their texts. */
async function foundIn(chain: TestChain): Promise<object[]> {
  return (await findingsOf(chain)).map((finding) => lacking(finding, 'text'));
}

/** Returns the details of the event about person 1, with other values or another signature. */
function changedDetails(changes: object, key = FIRST_KEY): string {
  const details = JSON.parse(String(forgotten(1, 2, key)['details'])) as object;
  return JSON.stringify({ ...details, key: FIRST_KEY.id, ...changes });
}

function lacking(fields: object, name: string): object {
  return Object.fromEntries(Object.entries(fields).filter(([field]) => field !== name));
}

function changed(sequence: number, columns: Columns, chain = SOUND): TestChain {
  const rows = chain.rows.map((row) =>
    row['sequence'] === sequence ? { ...row, ...columns } : row,
  );
  return { ...chain, rows };
}

function without(sequences: readonly number[], chain = SOUND): TestChain {
  return {
    ...chain,
    rows: chain.rows.filter((row) => !sequences.includes(Number(row['sequence']))),
  };
}

function withRows(rows: readonly Columns[]): TestChain {
  return { ...SOUND, rows };
}

describe('a sound chain', () => {
  test('has no findings, and is signed up to its last head', async () => {
    const heads = SOUND.heads.slice(0, 2);
    expect(await verified({ ...SOUND, heads, published: [] })).toEqual({
      findings: [],
      findingCount: 0,
      rows: 12,
      from: 1,
      to: 12,
      heads: 2,
      published: 0,
      lastHead: {
        sequence: 8,
        hash: heads[1]!.hash,
        signedAtUs: heads[1]!.signedAtUs,
        keyId: FIRST_KEY.id,
      },
      unsigned: 4,
      erased: 0,
      forgottenByUnknown: 0,
      keys: [{ id: FIRST_KEY.id, heads: 2, isKnown: true }],
    });
  });

  test('may be empty', async () => {
    const empty = { ...SOUND, rows: [], heads: [], published: [] };
    expect(await verified(empty)).toMatchObject({ findings: [], rows: 0, from: 1, to: 0 });
  });

  test('without a head is verified by its hashes alone, and says so', async () => {
    const unsigned = { ...SOUND, heads: [], published: [] };
    expect(await verified(unsigned)).toMatchObject({ findings: [], heads: 0, unsigned: 12 });
  });

  test('is not concerned by the heads of another chain', async () => {
    const other = { ...SOUND.heads[0]!, chain: 'another', sequence: 99 };
    expect(await foundIn({ ...SOUND, published: [other] })).toEqual([]);
  });

  test('is told of while it is read', async () => {
    const chain = aChain(2, { rows: 1, removePercent: 0 });
    async function* rows() {
      for (let count = 0; count < PROGRESS_ROWS * 2; count++) yield* chain.rows;
    }
    const told: number[] = [];
    await verify({ ...chain, rows: rows() }, chain.publicKeys, (count) => told.push(count));
    expect(told).toEqual([PROGRESS_ROWS, PROGRESS_ROWS * 2]);
  });

  test('that cannot be read to its end is a fault of the store, not a finding', async () => {
    async function* rows() {
      yield* SOUND.rows.slice(0, 3);
      throw new Error('disk I/O error');
    }
    await expect(verify({ ...SOUND, rows: rows() }, SOUND.publicKeys)).rejects.toThrow('disk I/O');
  });
});

describe('changed', () => {
  test('a plain value: that row, once', async () => {
    expect(await foundIn(changed(6, { status: 599 }))).toEqual([
      { kind: 'changed', sequence: 6, since: 5 },
    ]);
  });

  test('a personal value: that row', async () => {
    expect(await foundIn(changed(5, { path: '/other' }))).toEqual([
      { kind: 'changed', sequence: 5 },
    ]);
  });

  test('a hash: that row, and not the one that goes on from it', async () => {
    const [finding] = await findingsOf(changed(6, { hash: Buffer.alloc(32) }));
    expect(finding).toEqual({
      kind: 'changed',
      sequence: 6,
      text: 'Row 6: another hash than its own; the values fit.',
    });
  });

  test('a row and its hash: the next one tells, back to what was signed', async () => {
    const chain = changed(6, { status: 599 });
    expect(await findingsOf({ ...chain, rows: rehashed(chain, 6, 1) })).toEqual([
      {
        kind: 'changed',
        sequence: 7,
        since: 5,
        text: 'Row 7 changed: the values do not fit the hash. Rows 5 to 6 may have been changed instead, with the hash made anew.',
      },
    ]);
  });

  test('neighbours are one finding', async () => {
    const chain = changed(6, { status: 599 }, changed(7, { status: 599 }));
    expect(await foundIn(chain)).toEqual([{ kind: 'changed', sequence: 6, to: 7, since: 5 }]);
  });

  test('a person: another one whose key is there', async () => {
    const person = (Number(SOUND.rows[5]!['person']) + 1) % 4;
    expect(await foundIn(changed(6, { person }))).toMatchObject([{ kind: 'changed', sequence: 6 }]);
  });
});

describe('missing', () => {
  test('rows between two others, and what follows is said to be unchecked', async () => {
    expect(await findingsOf(without([6, 7]))).toEqual([
      {
        kind: 'missing',
        sequence: 6,
        to: 7,
        text: "Rows 6 to 7 missing. So row 8 can't be checked: it may have been changed or inserted.",
      },
    ]);
  });

  test('a row that was signed for: then the row after it can be checked', async () => {
    expect(await findingsOf(without([8]))).toEqual([
      { kind: 'missing', sequence: 8, text: 'Row 8 missing.' },
    ]);
    expect(await foundIn(without([8], changed(9, { status: 599 })))).toMatchObject([
      { kind: 'missing', sequence: 8 },
      { kind: 'changed', sequence: 9 },
    ]);
  });

  test('rows whose number the ones after them took', async () => {
    const rows = without([6, 7]).rows.map((row) => {
      const sequence = Number(row['sequence']);
      return sequence < 6 ? row : { ...row, sequence: sequence - 2 };
    });
    expect(await foundIn(withRows(rows))).toEqual([{ kind: 'missing', sequence: 6, to: 7 }]);
  });

  test('the first rows, when no stub says that they were removed', async () => {
    expect(await foundIn(without([1, 2, 3]))).toEqual([{ kind: 'missing', sequence: 1, to: 3 }]);
  });

  test('rows beyond are unproven when nothing signed vouches for them', async () => {
    const heads = SOUND.heads.slice(0, 2);
    expect(await foundIn(without([10], { ...SOUND, heads, published: [] }))).toEqual([
      { kind: 'missing', sequence: 10 },
      { kind: 'unproven', sequence: 11, to: 12 },
    ]);
  });
});

describe('inserted', () => {
  const copy = (from: number, sequence: number | null): Columns => ({
    ...SOUND.rows[from - 1],
    sequence,
  });

  test('a row between two others, whose numbers moved up', async () => {
    const moved = SOUND.rows
      .slice(5)
      .map((row) => ({ ...row, sequence: Number(row['sequence']) + 1 }));
    const rows = [...SOUND.rows.slice(0, 5), copy(2, 6), ...moved];
    expect(await foundIn(withRows(rows))).toEqual([{ kind: 'inserted', sequence: 6 }]);
  });

  test.each(['before', 'after'])('a second row of one number, %s the first', async (where) => {
    const rows = SOUND.rows.toSpliced(where === 'before' ? 5 : 6, 0, copy(2, 6));
    expect(await foundIn(withRows(rows))).toEqual([{ kind: 'inserted', sequence: 6 }]);
  });

  test.each([0, -1, null, 1.5])('a row with the number %p, which is none', async (sequence) => {
    const rows = [copy(2, sequence), ...SOUND.rows];
    expect(await foundIn(withRows(rows))).toEqual([{ kind: 'inserted', sequence: 0 }]);
  });

  test('a row far beyond the last one', async () => {
    const [missing, unproven] = await findingsOf(withRows([...SOUND.rows, copy(2, 20)]));
    expect(missing).toMatchObject({ kind: 'missing', sequence: 13, to: 19 });
    expect(missing?.text).toContain("row 20 can't be checked");
    expect(unproven).toMatchObject({ kind: 'unproven', sequence: 20 });
  });

  test('hundreds of rows that moved up are not named', async () => {
    const chain = aChain(3, { rows: 900, headPercent: 2, removePercent: 0 });
    const moved = chain.rows
      .slice(9)
      .map((row) => ({ ...row, sequence: Number(row['sequence']) + 1 }));
    const rows = [...chain.rows.slice(0, 9), { ...chain.rows[400], sequence: 10 }, ...moved];
    expect(await foundIn({ ...chain, rows })).toEqual([{ kind: 'inserted', sequence: 10 }]);
  });
});

describe('where rows have other numbers than theirs', () => {
  const numbered = (rows: readonly Columns[]) =>
    rows.map((row, index) => ({ ...row, sequence: index + 1 }));

  test('what was signed is held against the rows that it is about', async () => {
    const inserted = withRows(numbered(SOUND.rows.toSpliced(5, 0, SOUND.rows[1]!)));
    expect(await verified(inserted)).toMatchObject({ lastHead: { sequence: 12 }, unsigned: 0 });
    const [third, ninth] = [SOUND.rows[2]!, SOUND.rows[8]!];
    const exchanged = withRows(numbered(SOUND.rows.with(2, ninth).with(8, third)));
    expect(await verified(exchanged)).toMatchObject({ lastHead: { sequence: 12 }, unsigned: 0 });
  });

  test('one row that was moved past hundreds is missing in one place and inserted in the other', async () => {
    const chain = aChain(7, { rows: 900, headPercent: 2, removePercent: 0, forgetPercent: 0 });
    const rows = numbered(chain.rows.toSpliced(9, 1).toSpliced(699, 0, chain.rows[9]!));
    expect(await foundIn({ ...chain, rows })).toEqual([
      { kind: 'missing', sequence: 10 },
      { kind: 'inserted', sequence: 700 },
    ]);
  });

  test('a row without a number finds its place after a head, though those before are missing', async () => {
    const { rows } = without([6, 7, 8, 9]);
    const lost = { ...SOUND.rows[8]!, sequence: null };
    expect(await foundIn(withRows([lost, ...rows]))).toEqual([
      { kind: 'missing', sequence: 6, to: 8 },
      { kind: 'reordered', sequence: 9 },
    ]);
  });
});

describe('reordered', () => {
  const [third, ninth] = [SOUND.rows[2]!, SOUND.rows[8]!];

  test('two rows under the number of each other', async () => {
    const rows = SOUND.rows.with(2, { ...ninth, sequence: 3 }).with(8, { ...third, sequence: 9 });
    const [finding] = await findingsOf(withRows(rows));
    expect(finding).toEqual({
      kind: 'reordered',
      sequence: 3,
      to: 9,
      text: "Rows 3 and 9 stand in each other's place.",
    });
  });

  test('the values of two rows, whose hashes stayed', async () => {
    const rows = SOUND.rows
      .with(2, { ...ninth, sequence: 3, hash: third['hash']! })
      .with(8, { ...third, sequence: 9, hash: ninth['hash']! });
    expect(await foundIn(withRows(rows))).toEqual([{ kind: 'reordered', sequence: 3, to: 9 }]);
  });

  test('one row, around which the others moved', async () => {
    const rows = SOUND.rows.toSpliced(2, 1).toSpliced(5, 0, third);
    const numbered = rows.map((row, index) => ({ ...row, sequence: index + 1 }));
    const [finding] = await findingsOf(withRows(numbered));
    expect(finding).toMatchObject({ kind: 'reordered', sequence: 3, to: 6 });
    expect(finding?.text).toContain('row 3 under 6');
  });

  test('a row under a number that no row had', async () => {
    const rows = [...without([3]).rows, { ...third, sequence: 40 }];
    expect(await foundIn(withRows(rows))).toEqual([{ kind: 'reordered', sequence: 3, to: 40 }]);
  });

  test('rows that come in another order than that of their numbers', async () => {
    const rows = SOUND.rows.with(2, SOUND.rows[3]!).with(3, third);
    expect(await foundIn(withRows(rows))).toEqual([{ kind: 'reordered', sequence: 3 }]);
  });
});

describe('rewritten', () => {
  const chain = changed(6, { status: 599 });
  const rewritten = { ...chain, rows: rehashed(chain, 6) };

  test('rows from the last head that fits to the first that does not', async () => {
    expect(await foundIn(rewritten)).toEqual([
      { kind: 'rewritten', sequence: 5, to: 8, until: 12 },
    ]);
  });

  test('is found by published heads, when those in the store were made anew by whoever has a key', async () => {
    const heads = SOUND.heads.map(({ sequence }) =>
      headAt(rewritten.rows[sequence - 1]!, FIRST_KEY),
    );
    expect(await foundIn({ ...rewritten, heads, published: [] })).toEqual([]);
    expect(await foundIn({ ...rewritten, heads })).toMatchObject([
      { kind: 'rewritten', sequence: 5 },
    ]);
  });

  test('ends where the rows go on from what was signed', async () => {
    const rows = rehashed(chain, 6, 3); // 6 to 8, at which there is a head
    const twice = changed(10, { status: 599 }, { ...chain, rows });
    expect(await foundIn(twice)).toEqual([
      { kind: 'rewritten', sequence: 5, to: 8 },
      { kind: 'changed', sequence: 10, since: 9 },
    ]);
  });
});

describe('cut', () => {
  const cut = without([10, 11, 12]);

  test('the last rows, of which a head in the store tells', async () => {
    expect(await findingsOf({ ...cut, published: [] })).toEqual([
      {
        kind: 'cut',
        sequence: 10,
        to: 12,
        since: 9,
        text: 'Rows 10 to 12 cut off: a head in the store tells of row 12. Nothing signed vouches for row 9 any more.',
      },
    ]);
  });

  test('with their heads: a published head tells', async () => {
    const heads = SOUND.heads.slice(0, 2);
    expect(await foundIn({ ...cut, heads })).toMatchObject([{ kind: 'cut', sequence: 10, to: 12 }]);
  });

  test('all of them', async () => {
    expect(await foundIn({ ...SOUND, rows: [] })).toEqual([{ kind: 'cut', sequence: 1, to: 12 }]);
  });
});

describe('heads', () => {
  test('one that the key it names did not sign is forged', async () => {
    const forged = { ...SOUND.heads[1]!, signedAtUs: 1 };
    const heads = SOUND.heads.with(1, forged);
    expect(await foundIn({ ...SOUND, heads })).toEqual([{ kind: 'head-forged', sequence: 8 }]);
    expect(await foundIn({ ...SOUND, published: heads })).toEqual([
      { kind: 'head-forged', sequence: 8 },
    ]);
  });

  test('one that was published and is not in the store is missing', async () => {
    expect(await foundIn({ ...SOUND, heads: SOUND.heads.slice(2) })).toEqual([
      { kind: 'head-missing', sequence: 4, to: 8 },
    ]);
  });

  test('one of a key that was taken out does no harm when a later one covers it', async () => {
    const heads = SOUND.heads.with(1, headAt(SOUND.rows[7]!, RETIRED_KEY));
    const verification = await verified({ ...SOUND, heads, published: [] });
    expect(verification.findings).toEqual([]);
    expect(verification.keys).toContainEqual({ id: RETIRED_KEY.id, heads: 1, isKnown: false });
  });

  test('the last one must be of a known key', async () => {
    const heads = SOUND.heads.with(2, headAt(SOUND.rows[11]!, INTRUDER_KEY));
    expect(await foundIn({ ...SOUND, heads, published: [] })).toEqual([
      { kind: 'key-unknown', sequence: 9, to: 12 },
    ]);
  });

  test('one of an unknown key that does not fit, though a later one covers the row, is forged', async () => {
    const row = { ...SOUND.rows[5]!, hash: Buffer.alloc(32) };
    const heads = [...SOUND.heads, headAt(row, INTRUDER_KEY)];
    expect(await foundIn({ ...SOUND, heads })).toEqual([{ kind: 'head-forged', sequence: 6 }]);
  });

  test('one of an unknown key that the rewritten rows do not fit is no other finding', async () => {
    const chain = changed(6, { status: 599 });
    const heads = [...SOUND.heads, headAt(SOUND.rows[5]!, RETIRED_KEY)];
    expect(await foundIn({ ...chain, rows: rehashed(chain, 6, 3), heads })).toEqual([
      { kind: 'rewritten', sequence: 5, to: 8 },
    ]);
  });

  test('one of an unknown key does no harm beside one of a known key', async () => {
    const heads = [headAt(SOUND.rows[11]!, RETIRED_KEY), ...SOUND.heads];
    expect(await foundIn({ ...SOUND, heads })).toEqual([]);
  });

  test('none of them throws, whatever its fields hold', async () => {
    const odd = [{ sequence: NaN }, { hash: null }, { signature: 7 }, { keyId: {} }];
    const heads = odd.map((fields) => ({ ...SOUND.heads[0]!, ...fields })) as typeof SOUND.heads;
    expect(await foundIn({ ...SOUND, heads, published: [] })).toHaveLength(4);
  });
});

describe('removed rows', () => {
  const removed = removeUpTo(SOUND, SOUND.heads[0]);

  test('are no finding when a signed stub stands for them', async () => {
    const { published } = SOUND; // from before, too: those can't be checked any more
    const expected = { findings: [], from: 9, to: 12, heads: 1, published: 2 };
    const more = removeUpTo(SOUND, SOUND.heads[1]);
    expect(await verified({ ...more, published })).toMatchObject(expected);
  });

  test('all of them', async () => {
    const whole = removeUpTo(SOUND, SOUND.heads[2]);
    expect(await verified(whole)).toMatchObject({ findings: [], rows: 0, from: 13, to: 12 });
  });

  test('are missing when the stub is not signed', async () => {
    const stub = { ...removed.stub!, rows: 3 };
    expect(await foundIn({ ...removed, stub })).toEqual([
      { kind: 'stub-forged', sequence: 1, to: 4 },
      { kind: 'missing', sequence: 1, to: 4 },
    ]);
  });

  test('are missing when the stub is that of another chain', async () => {
    const stub = signStub({ ...removed.stub!, chain: 'another' }, FIRST_KEY);
    expect(await foundIn({ ...removed, stub })).toMatchObject([
      { kind: 'stub-forged' },
      { kind: 'missing', sequence: 1, to: 4 },
    ]);
  });

  test('are missing up to where the rows begin', async () => {
    expect(await foundIn(without([5, 6], removed))).toEqual([
      { kind: 'missing', sequence: 5, to: 6 },
    ]);
  });

  test('are inserted when they are there again', async () => {
    expect(await foundIn({ ...removed, rows: SOUND.rows.slice(2) })).toEqual([
      { kind: 'inserted', sequence: 3 },
      { kind: 'inserted', sequence: 4 },
    ]);
  });

  test('do not hide that the first row was changed', async () => {
    expect(await foundIn(changed(5, { status: 599 }, removed))).toEqual([
      { kind: 'changed', sequence: 5 },
    ]);
  });

  test('of a stub that does not fit a published head are rewritten', async () => {
    const row = { ...SOUND.rows[3]!, hash: Buffer.alloc(32, 1) };
    expect(await foundIn({ ...removed, published: [headAt(row, FIRST_KEY)] })).toMatchObject([
      { kind: 'rewritten', sequence: 4 },
    ]);
  });

  test('by a stub of an unknown key are doubtful until a known key covers it', async () => {
    const stub = { ...removed.stub!, keyId: RETIRED_KEY.id };
    expect(await foundIn({ ...removed, stub })).toEqual([]);
    expect(await foundIn({ ...removed, stub, heads: [], published: [] })).toEqual([
      { kind: 'key-unknown', sequence: 1, to: 4 },
    ]);
  });
});

describe('a forgotten person', () => {
  type Forgetting = {
    /** Rows of person 1, and those of them that are erased. */
    readonly own?: readonly number[];
    readonly erased?: readonly number[];
    /** The row of the event, and its columns. */
    readonly event?: number;
    readonly columns?: Columns;
    readonly isKept?: boolean;
  };

  /** Five rows, of which the fourth is the event that person 1, of the second and the third, was forgotten. */
  function forgetting({
    own = [2, 3],
    erased = own,
    event = 4,
    columns = forgotten(1, 2),
    isKept = false,
  }: Forgetting = {}): TestChain {
    const rows: Columns[] = [];
    for (const row of SOUND.rows.slice(0, 5)) {
      const sequence = Number(row['sequence']);
      const person = own.includes(sequence) ? 1 : 0;
      const happening = sequence === event ? columns : {};
      const whole = { ...row, ...namedAs(person), person, ...happening };
      if (erased.includes(sequence)) erase(whole, SOUND.persons);
      rows.push(hashed(whole, rows.at(-1)?.['hash'] as Uint8Array | undefined, SOUND.persons));
    }
    const [persons, names] = [new Map(SOUND.persons), new Map(SOUND.names)];
    if (!isKept) {
      persons.delete(1);
      names.delete(1);
    }
    const heads = [headAt(rows[4]!, FIRST_KEY)];
    return { ...SOUND, rows, persons, names, heads, published: [] };
  }

  test('leaves rows without values, and an event that says so: no finding', async () => {
    expect(await verified(forgetting())).toMatchObject({ findings: [], erased: 2 });
  });

  test('whose event is of somebody else: the rows are erased', async () => {
    expect(await foundIn(forgetting({ columns: forgotten(9, 2) }))).toEqual([
      { kind: 'erased', sequence: 2, to: 3 },
    ]);
  });

  test.each<[string, Columns]>([
    ['not signed', { details: JSON.stringify({ person: 1, rows: 2 }) }],
    ['of more rows than were signed', { details: changedDetails({ rows: 3 }) }],
    ['of another time', { started_at_us: 1 }],
    ['signed by an intruder under a known name', { details: changedDetails({}, INTRUDER_KEY) }],
    ['without details', { details: null }],
    ['of nobody, who has no name to forget', forgotten(0, 2)],
  ])('whose event is %s: it is forged, and the rows are erased', async (_, columns) => {
    const found = await foundIn(forgetting({ columns: { ...forgotten(1, 2), ...columns } }));
    expect(found).toEqual([
      { kind: 'erased', sequence: 2, to: 3 },
      { kind: 'event-forged', sequence: 4 },
    ]);
  });

  test('whose event is another chain’s: it is forged', async () => {
    const chain = forgetting();
    const details = { chain: 'another', person: 1, rows: 2 };
    const startedAtUs = Number(chain.rows[3]!['started_at_us']);
    const signed = forgottenDetails({ ...details, startedAtUs }, FIRST_KEY);
    const columns = { ...forgotten(1, 2), details: JSON.stringify(signed) };
    expect(await foundIn(forgetting({ columns }))).toMatchObject([
      { kind: 'erased' },
      { kind: 'event-forged' },
    ]);
  });

  test('by a key that was taken out later: no finding, and it is counted', async () => {
    const chain = forgetting({ columns: forgotten(1, 2, RETIRED_KEY) });
    expect(await verified(chain)).toMatchObject({ findings: [], forgottenByUnknown: 1 });
  });

  test('by a key that nobody knows, after one that is known has signed: the rows are erased', async () => {
    const chain = forgetting({ columns: forgotten(1, 2, INTRUDER_KEY) });
    const heads = [headAt(chain.rows[0]!, FIRST_KEY), ...chain.heads];
    expect(await foundIn({ ...chain, heads })).toEqual([
      { kind: 'erased', sequence: 2, to: 3 },
      { kind: 'key-unknown', sequence: 4 },
    ]);
  });

  test('by a key that nobody knows, with nothing signed after it: the rows are erased', async () => {
    const chain = forgetting({ columns: forgotten(1, 2, INTRUDER_KEY) });
    expect(await foundIn({ ...chain, heads: [] })).toMatchObject([
      { kind: 'erased' },
      { kind: 'key-unknown', sequence: 4 },
    ]);
  });

  test('has no rows after the event', async () => {
    expect(await foundIn(forgetting({ own: [2, 3, 5] }))).toEqual([
      { kind: 'erased', sequence: 2, to: 5 },
    ]);
  });

  test('has no row left that was not erased', async () => {
    const [finding, ...others] = await findingsOf(
      forgetting({ erased: [2], columns: forgotten(1, 1), isKept: true }),
    );
    expect(finding).toMatchObject({ kind: 'erased', sequence: 3 });
    expect(finding?.text).toContain('only a part of the rows was erased');
    expect(others).toMatchObject([{ kind: 'person', sequence: 4 }]);
  });

  test('has no name and no key left', async () => {
    expect(await foundIn(forgetting({ isKept: true }))).toEqual([{ kind: 'person', sequence: 4 }]);
  });

  test('has no more erased rows than the event says', async () => {
    expect(await foundIn(forgetting({ columns: forgotten(1, 1) }))).toEqual([
      { kind: 'erased', sequence: 2, to: 3 },
    ]);
  });

  test('does not excuse values that came back', async () => {
    const [finding] = await findingsOf(changed(2, { path: '/found' }, forgetting()));
    expect(finding?.text).toBe('Row 2: erased, and personal values in it all the same.');
  });

  test('without an event: values that are gone are erased', async () => {
    const row = { ...SOUND.rows[6]! };
    erase(row, SOUND.persons);
    const chain = withRows(SOUND.rows.with(6, row));
    expect(await foundIn(chain)).toEqual([{ kind: 'erased', sequence: 7 }]);
  });

  test('a key that is gone while the values are there: they can not be checked', async () => {
    const rows = SOUND.rows
      .filter((row) => row['person'] === 2)
      .map((row) => Number(row['sequence']));
    const persons = new Map(SOUND.persons);
    persons.delete(2);
    expect(await foundIn({ ...SOUND, persons })).toEqual([
      { kind: 'key-missing', sequence: rows[0], to: rows.at(-1) },
    ]);
  });

  test('a key that is another one: all rows of that person are changed', async () => {
    const key = createSecretKey(Buffer.alloc(32, 9));
    const persons = new Map(SOUND.persons).set(2, key);
    const findings = await findingsOf({ ...SOUND, persons });
    const rows = SOUND.rows
      .filter((row) => row['person'] === 2)
      .map((row) => Number(row['sequence']));
    expect(rows.filter((row) => !findings.some((finding) => isAbout(finding, row)))).toEqual([]);
  });
});

describe('who a row is of', () => {
  const ofSecond = SOUND.rows.filter(({ person }) => person === 2).map((row) => row['sequence']);

  test('two persons whose names were exchanged: the rows of both', async () => {
    const names = new Map(SOUND.names).set(1, SOUND.names.get(2)!).set(2, SOUND.names.get(1)!);
    const findings = await findingsOf({ ...SOUND, names });
    expect(findings.map(({ kind }) => kind)).toEqual(['person', 'person']);
    expect(findings).toContainEqual(
      expect.objectContaining({ sequence: ofSecond[0], to: ofSecond.at(-1) }),
    );
  });

  test.each(['issuer', 'subject', 'user'])('another %s in the list of persons', async (part) => {
    const names = new Map(SOUND.names).set(2, { ...SOUND.names.get(2)!, [part]: 'x' });
    expect(await foundIn({ ...SOUND, names })).toMatchObject([{ kind: 'person' }]);
  });

  test('nobody has no name', async () => {
    const row = { ...SOUND.rows[0]!, ...namedAs(2), person: 0 };
    const rows = [hashed(row, undefined, SOUND.persons)];
    expect(await foundIn({ ...withRows(rows), heads: [], published: [] })).toEqual([
      { kind: 'person', sequence: 1 },
    ]);
  });
});

describe('a chain without any head', () => {
  const unsigned = { ...SOUND, heads: [], published: [] };
  const MINUTE_US = 60_000_000;
  const old = (chain: TestChain): TestChain => ({
    ...chain,
    rows: chain.rows.map((row) => ({ ...row, started_at_us: 0 })),
  });
  const after = (minutes: number, chain: TestChain) =>
    findingsAt({ ...chain, rows: rehashed(chain, 1) }, minutes * MINUTE_US);
  const findingsAt = async (chain: TestChain, nowUs: number) =>
    (await verified(chain, { nowUs })).findings;

  test('is a finding when its last row is older than ten minutes', async () => {
    expect(await after(11, old(unsigned))).toMatchObject([
      { kind: 'head-missing', sequence: 1, to: 12 },
    ]);
    expect(await after(9, old(unsigned))).toEqual([]);
  });

  test('is no younger for having been verified', async () => {
    const event = { event: 'verification-run', details: '{}', started_at_us: 11 * MINUTE_US };
    const chain = old(unsigned);
    const rows = chain.rows.with(11, { ...chain.rows[11]!, ...event });
    expect(await after(11, { ...chain, rows })).toMatchObject([{ kind: 'head-missing' }]);
  });

  test('is none when there is no row', async () => {
    expect(await after(99, { ...unsigned, rows: [] })).toEqual([]);
  });
});

describe('a chain that is not in the store', () => {
  const missing = (published = SOUND.published) =>
    verifyMissing(CHAIN, published, SOUND.publicKeys);

  test('is one finding, which says up to where it was', async () => {
    const { findings, findingCount, rows } = await missing();
    expect(findings).toMatchObject([{ kind: 'chain-missing', sequence: 0 }]);
    expect(findings[0]?.text).toContain('up to row 12');
    expect([findingCount, rows]).toEqual([1, 0]);
  });

  test('does not hide that a head is forged', async () => {
    const forged = { ...SOUND.heads[0]!, signedAtUs: 1 };
    const { findings, findingCount } = await missing([forged]);
    expect(findings.map(({ kind }) => kind)).toEqual(['chain-missing', 'head-forged']);
    expect(findingCount).toBe(2);
  });
});

describe('damage', () => {
  test.each<[string, Columns, string]>([
    ['no hash', { hash: null }, 'no hash of 32 bytes'],
    ['half a hash', { hash: Buffer.alloc(16) }, 'no hash of 32 bytes'],
    ['a hash as text', { hash: 'ab'.repeat(32) }, 'no hash of 32 bytes'],
    ['a commitment too short', { commitment: Buffer.alloc(3) }, 'a commitment that is none'],
    ['a commitment as text', { commitment: 'x' }, 'a commitment that is none'],
    ['a commitment beside values', { commitment: Buffer.alloc(32) }, 'personal values in it'],
    ['bytes for a text', { host: Buffer.from('x') }, 'a value that no row can have (host)'],
    ['infinity', { status: Infinity }, 'a value that no row can have (status)'],
    ['half a number', { path: 0.5 }, 'a value that no row can have (path)'],
    ['no person', { person: null }, 'no person'],
    ['a person as text', { person: '1' }, 'no person'],
    ['a person below zero', { person: -1 }, 'no person'],
    ['details that are no JSON', { details: '{"person":' }, 'details that are no JSON object'],
    [
      'more text than any row has',
      { path: 'x'.repeat(2 ** 24 + 1) },
      'that no row can have (path)',
    ],
    ['what the database can’t hand out', unreadable(6, null), 'can’t be read'],
    ['details that are a list', { details: '[1]' }, 'details that are no JSON object'],
  ])('%s is a finding about that row alone', async (_, columns, text) => {
    const findings = await findingsOf(changed(6, columns));
    expect(findings).toMatchObject([{ kind: 'changed', sequence: 6 }]);
    expect(findings[0]?.text).toContain(text);
  });

  test('details that are no JSON are found even where the hash fits them', async () => {
    const chain = changed(6, { event: 'person-forgotten', details: 'null' });
    const rows = rehashed(chain, 6);
    const findings = await foundIn({ ...chain, rows, heads: [], published: [] });
    expect(findings).toContainEqual({ kind: 'changed', sequence: 6 });
  });

  test.each([null, 'x', 1.5, NaN, Buffer.alloc(2)])('a sequence of %p', async (sequence) => {
    const findings = await findingsOf(changed(6, { sequence }));
    expect(findings).toMatchObject([{ kind: 'reordered', sequence: 6 }]);
  });

  test('a row without any column', async () => {
    expect(await foundIn(withRows(SOUND.rows.with(5, {})))).toMatchObject([
      { kind: 'inserted', sequence: 0 },
      { kind: 'missing', sequence: 6 },
    ]);
  });

  test('any column of any row gone', async () => {
    for (const name of Object.keys(SOUND.rows[0]!)) {
      const rows = SOUND.rows.map((row) => lacking(row, name) as Columns);
      const had = SOUND.rows.some((row) => row[name] !== null);
      expect([name, (await foundIn(withRows(rows))).length > 0]).toEqual([name, had]);
    }
  });
});

describe('much of it', () => {
  test('is kept up to a bound, and counted beyond it', async () => {
    const chain = aChain(4, { rows: 2400, headPercent: 0, removePercent: 0, forgetPercent: 0 });
    const rows = chain.rows.map((row, index) => (index % 2 ? row : { ...row, status: 'x' }));
    const { findings, findingCount } = await verified({ ...chain, rows });
    expect([findings.length, findingCount]).toEqual([MAX_FINDINGS, 1200]);
  });

  test('says the same each time', async () => {
    const random = createRandom(5);
    const rows = random.shuffled(aChain(5, { rows: 300 }).rows);
    const chain = { ...SOUND, rows: rows.map((row, index) => ({ ...row, sequence: index + 1 })) };
    expect(await verified(chain)).toEqual(await verified(chain));
  });

  test('a chain of nothing but damage ends', async () => {
    const chain = aChain(6, { rows: 2000, removePercent: 0, forgetPercent: 0 });
    const rows = chain.rows.map((row) => ({ ...row, hash: null }));
    const findings = await findingsOf({ ...chain, rows });
    expect(findings.every(({ kind }) => kind === 'changed')).toBe(true);
    expect([1, 1000, 2000].every((row) => findings.some((found) => isAbout(found, row)))).toBe(
      true,
    );
  });
});

const SEED = Number(process.env['SIGNET_TEST_SEED'] ?? 20_261_121);
const TIMES = 1000;

describe(`a thousand each (seed ${SEED})`, () => {
  test('sound chains: nothing is found', async () => {
    const failures: string[] = [];
    for (let seed = SEED; seed < SEED + TIMES; seed++) {
      const { findings } = await verified(anyChain(seed, 0, 30));
      if (findings.length > 0) failures.push(`${seed}: ${JSON.stringify(findings)}`);
    }
    expect(failures).toEqual([]);
  });

  test.each(Object.entries(TAMPERINGS))(
    '%s: each is found, and the rows are named',
    async (name, tamper) => {
      const failures: string[] = [];
      for (const { seed, chain } of chainsFor(name)) {
        const { what, named, kinds, ...tampered } = tamper(chain, createRandom(seed));
        const findings = await findingsOf(tampered.chain);
        const isNamed = named.every((row) => findings.some((finding) => isAbout(finding, row)));
        const isMeant = findings.every(({ kind }) => kinds.includes(kind));
        const isFound = findings.length > 0 && isNamed && isMeant;
        if (!isFound) failures.push(`${seed}: ${what}: ${JSON.stringify(findings)}`);
      }
      expect(failures).toEqual([]);
    },
  );

  test('a changed value or two rows exchanged: nothing else is named', async () => {
    const failures: string[] = [];
    for (const { seed, chain } of chainsFor('change')) {
      const tamper = seed % 2 ? change : swap;
      const { what, named, ...tampered } = tamper(chain, createRandom(seed));
      // With the event of a forgotten person changed, the rows that it excuses are named as well.
      const findings = (await findingsOf(tampered.chain)).filter(({ kind }) => kind !== 'erased');
      const [first, last = first] = named.toSorted((a, b) => a - b);
      const isExact = findings.every(
        ({ sequence, to = sequence }) => sequence === first && to === last,
      );
      if (!isExact) failures.push(`${seed}: ${what}: ${JSON.stringify(findings)}`);
    }
    expect(failures).toEqual([]);
  });
});

function anyChain(seed: number, least: number, removePercent: number): TestChain {
  return aChain(seed, { rows: least + createRandom(seed).below(15), removePercent });
}

type Drawn = { readonly seed: number; readonly chain: TestChain };

const drawn = new Map<boolean, Drawn[]>();

/** Returns chains to which this can be done: with two rows at least, and what else it needs. */
function chainsFor(name: string): readonly Drawn[] {
  const isRemoved = name === 'forgeStub';
  const chains = drawn.get(isRemoved) ?? draw(isRemoved);
  drawn.set(isRemoved, chains);
  return chains;
}

function draw(isRemoved: boolean): Drawn[] {
  const chains: Drawn[] = [];
  for (let seed = SEED; chains.length < TIMES; seed++) {
    const chain = anyChain(seed, 3, isRemoved ? 100 : 30);
    if (chain.rows.length >= 2 && (!isRemoved || chain.stub)) chains.push({ seed, chain });
  }
  return chains;
}
