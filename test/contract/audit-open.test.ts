// `signet audit open`: what the gate has decided and Caddy not yet logged, from a real journal and store.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openJournal, type Journal, type Noted } from '../../sidecar/decisions/journal.ts';
import { OPEN_DECISIONS } from '../../sidecar/decisions/reckon.ts';
import { runSignet } from '../fixtures/cli.ts';
import { openRecord, type Record as Recorded } from '../fixtures/records.ts';
import { aRow, requestId } from '../fixtures/rows.ts';

const BOOT = 'b0000000-0000-4000-8000-000000000001';
const MINUTE_US = 60_000_000;

let folder: string;
let record: Recorded;
let journal: Journal;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-open-'));
  record = await openRecord(join(folder, 'audit.db'));
  journal = openJournal({
    folder: join(folder, 'decisions'),
    bootId: BOOT,
    machineBootId: '',
    slots: 4,
  });
});
afterEach(async () => {
  journal.close();
  await record.close();
  rmSync(folder, { recursive: true });
});

function note(number: number, changes: Partial<Noted> = {}): void {
  journal.note({
    number,
    requestId: requestId(number),
    startedAtUs: Date.now() * 1000 - 5 * MINUTE_US,
    decision: 'allow',
    route: 'orders',
    user: 'alice',
    ...changes,
  });
}

/** The row of a decision whose line has come. */
async function recorded(number: number): Promise<void> {
  const gate = { bootId: BOOT, number, startedAtUs: 1, durationUs: 1 };
  await record.commit(aRow({ gate }, number));
}

const open = (...args: string[]) => runSignet(['audit', 'open', ...args], { SIGNET_STATE: folder });
const linesOf = (out: string) =>
  out
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('lists who, where, since when and by which request; what was recorded is not in it', async () => {
  for (const number of [1, 2, 3]) note(number);
  await recorded(2);
  journal.close();
  const { code, out } = await open();
  expect(code).toBe(0);
  expect(linesOf(out)).toMatchObject([
    {
      number: 1,
      user: 'alice',
      route: 'orders',
      requestId: requestId(1),
      boot: BOOT,
      decision: 'allow',
    },
    { number: 3, requestId: requestId(3) },
  ]);
  expect(linesOf(out)[0]?.['ageSeconds']).toBeGreaterThanOrEqual(300);
});

test('a request whose line came without a stamp is not open', async () => {
  note(1);
  await record.commit(aRow({}, 1));
  journal.close();
  expect(await open()).toMatchObject({ code: 0, out: '' });
});

test('decisions of which the journal knows no more stand as a range', async () => {
  for (let number = 1; number <= 10; number++) note(number);
  await recorded(9);
  journal.close();
  const lines = linesOf((await open()).out);
  expect(lines[0]).toMatchObject({ first: 1, last: 6, known: false });
  expect(lines.slice(1).map(({ number }) => number)).toEqual([7, 8, 10]);
});

test('what the recorder has remembered of them is told', async () => {
  for (let number = 1; number <= 6; number++) note(number);
  const noted = {
    number: 2,
    requestId: requestId(2),
    startedAtUs: 7,
    decision: 'allow',
    route: 'old',
  };
  const kept = [
    {
      bootId: BOOT,
      range: { first: 2, last: 2 },
      noted,
      sinceUs: 7,
      machineBootId: '',
      hasJournal: true,
    },
  ];
  await record.store.commit({ rows: [], notes: { [OPEN_DECISIONS]: JSON.stringify(kept) } });
  journal.close();
  expect(linesOf((await open()).out)).toContainEqual(
    expect.objectContaining({ number: 2, route: 'old' }),
  );
});

test('on a terminal it is a table, in which nothing can move the cursor', async () => {
  note(1, { user: 'al\u001b[2Jice' });
  note(2, { startedAtUs: Date.now() * 1000 - 180 * MINUTE_US });
  journal.close();
  const { out } = await open('--format', 'table');
  const [header, first, second] = out.split('\n');
  expect(header).toMatch(/^SINCE +AGE +DECISION +USER +ROUTE +NUMBER +REQUEST$/);
  expect(first).toMatch(/ 5m +allow +al\\x1b\[2Jice +orders +1 +4d03/);
  expect(second).toContain(' 3h ');
});

test('nothing open is no error', async () => {
  journal.close();
  expect(await open('--format', 'table')).toMatchObject({ code: 0, out: '(nothing is open)\n' });
});

test('a file among the journals that is none is named, and the others are read', async () => {
  note(1);
  journal.close();
  writeFileSync(join(folder, 'decisions', 'stranger'), 'x');
  const { code, out, err } = await open();
  expect(code).toBe(0);
  expect(linesOf(out)).toHaveLength(1);
  expect(err).toContain('stranger');
});
