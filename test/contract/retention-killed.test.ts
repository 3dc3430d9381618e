// The sidecar is killed at any moment of a removal that goes on by itself, on both databases: the chain is
// whole each time, the next one goes on, and the books of rows balance.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { databaseKinds } from '../fixtures/databases.ts';
import { createRandom, testSeeds } from '../fixtures/random.ts';
import { openRecord } from '../fixtures/records.ts';
import { startRemoving } from '../fixtures/removing.ts';
import { aRow, STARTED_AT_US } from '../fixtures/rows.ts';

const OLD_ROWS = 6000;
const SEGMENT_ROWS = 1500;
const KILLS = 3;
/** The numbers of each process's own rows. */
const NUMBERS_EACH = 1_000_000;
/** Two hours past a day after the rows: the clock is believed. */
const NOW_US = STARTED_AT_US + 26 * 3_600_000_000;

describe.each(Object.entries(databaseKinds()))('%s', (_name, kind) => {
  if (kind.missing !== undefined) {
    test.skip(`not tried here: ${kind.missing}`, () => {});
    return;
  }
  beforeAll(() => kind.start());
  afterAll(() => kind.stop());

  test('killed again and again, it leaves a whole chain, and every row is there or counted', async () => {
    const [seed = 1] = testSeeds(1);
    const random = createRandom(seed);
    const place = await kind.make();
    await fill(place);
    let kills = 0;
    for (let turn = 1; ; turn++) {
      const removing = startRemoving(place, NOW_US, turn * NUMBERS_EACH);
      const wasKilled = await removing.killAfter(turn > KILLS ? Infinity : 1 + random.below(3));
      await expectWhole(place);
      if (!wasKilled) break;
      kills += 1;
    }
    expect(kills).toBeGreaterThan(0);
    await expectTold(place);
  });
});

async function fill(place: string): Promise<void> {
  const record = await openRecord(place);
  for (let from = 1; from <= OLD_ROWS; from += SEGMENT_ROWS) {
    const numbers = Array.from({ length: SEGMENT_ROWS }, (_, index) => from + index);
    await record.commit(...numbers.map((number) => aRow({ startedAtUs: STARTED_AT_US }, number)));
    await record.sign();
  }
  await record.store.moveCursor('slow', SEGMENT_ROWS);
  await record.close();
}

/** Nothing is found, and rows that went and rows that are there make all that ever were. */
async function expectWhole(place: string): Promise<void> {
  const record = await openRecord(place);
  try {
    expect((await record.verify()).findings).toEqual([]);
    const [stub] = await record.database.all('SELECT sequence, rows FROM stubs');
    expect(stub?.['rows']).toBe(stub?.['sequence']);
    const { rows, lastSequence } = await record.store.counts();
    expect(rows + Number(stub?.['rows'])).toBe(lastSequence);
  } finally {
    await record.close();
  }
}

/** The events tell of all that went, and of all that the destination lacked, each once. */
async function expectTold(place: string): Promise<void> {
  const record = await openRecord(place);
  try {
    const all = await record.store.rowsAfter(0, 1_000_000);
    const told = all.filter((row) => 'event' in row && row.event === 'rows-removed');
    expect(told).toMatchObject([
      { details: { rows: OLD_ROWS, undelivered: `slow: ${OLD_ROWS - SEGMENT_ROWS}` } },
    ]);
  } finally {
    await record.close();
  }
}
