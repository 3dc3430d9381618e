// What the recorder does when its store or its disk fails it: the real thread over a real log. Each time a
// message that says what it is, and no line is lost or doubled when it is mended.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CHAIN, databaseKinds } from '../fixtures/databases.ts';
import { startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { makePlace, type Place, type RunningRecorder } from '../fixtures/recorder.ts';
import { createFollower } from '../../sidecar/accesslog/follow.ts';
import { parseHeadLine } from '../../sidecar/audit/head.ts';
import { isRequest } from '../../sidecar/audit/row.ts';
import type { AuditStore } from '../../sidecar/audit/store.ts';
import { createRecorder } from '../../sidecar/record.ts';
import { createSample } from '../../sidecar/trace/sampling.ts';
import { SAMPLE_EVERYTHING } from '../fixtures/sampling.ts';
import type { RecorderState } from '../../sidecar/recorder-state.ts';
import { requestId } from '../fixtures/rows.ts';
import { requestRows, storedRows } from '../fixtures/stored.ts';
import { openStore, overwrite } from '../fixtures/stores.ts';

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.remove());

const idsIn = (store: string) => requestRows(store).map((row) => row.requestId);
const ids = (...numbers: number[]) => numbers.map(requestId);
const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);
const eventsIn = (store: string, name: string) =>
  storedRows(store).filter((row) => 'event' in row && row.event === name);

/** Records these lines, and stops. */
async function recorded(...numbers: number[]): Promise<void> {
  place.write(...numbers);
  const recorder = place.start();
  await recorder.until('its rows', ({ lagBytes, rows }) => rows > numbers.length && lagBytes === 0);
  await recorder.stop();
}

describe('a damaged checkpoint', () => {
  const DAMAGED = ['garbage', '', '{"offset":7}', 'null', '\u0001'];
  test.each(DAMAGED)(
    '%j: all is read again, nothing doubled, and an event says so',
    async (text) => {
      await recorded(1, 2, 3);
      const database = new DatabaseSync(place.store);
      database.prepare('UPDATE log_checkpoint SET checkpoint = ?').run(text);
      database.close();
      await recorded(4);
      expect(idsIn(place.store)).toEqual(ids(1, 2, 3, 4));
      expect(eventsIn(place.store, 'recorder-gap')).toMatchObject([
        { details: { what: expect.stringMatching(/place in the log was damaged/) } },
      ]);
      expect(await place.start().until('to be well', ({ rows }) => rows > 4)).not.toHaveProperty(
        'problem',
      );
    },
  );

  test('that isn’t there any more: all is read again, nothing doubled', async () => {
    await recorded(1, 2, 3);
    const database = new DatabaseSync(place.store);
    database.exec('DELETE FROM log_checkpoint');
    database.close();
    await recorded(4);
    expect(idsIn(place.store)).toEqual(ids(1, 2, 3, 4));
  });
});

/** Resolves to the problem that it tells. */
async function problemOf(recorder: RunningRecorder): Promise<string> {
  const { problem } = await recorder.until('a problem', (state) => 'problem' in state, 20_000);
  return problem ?? '';
}

/** Resolves when it has no problem, and all of the log is recorded. */
async function wellAgain(recorder: RunningRecorder): Promise<void> {
  const isWell = (state: RecorderState) => !('problem' in state) && state.lagBytes === 0;
  await recorder.until('to be well', (state) => isWell(state) && state.rows > 0, 20_000);
}

/** Resolves when all lines are in a store that was made anew, of which it tells. */
async function begunAnew(recorder: RunningRecorder, lines: number): Promise<void> {
  const isDone = (state: RecorderState) => state.rows > lines && state.lagBytes === 0;
  const { problem } = await recorder.until('its rows', isDone, 20_000);
  expect(problem).toMatch(/was the store replaced\?$/);
}

test('a database that is locked for longer than it waits: it says so, and goes on', async () => {
  await recorded(1);
  const recorder = place.start();
  await recorder.until('its rows', ({ rows }) => rows > 1);
  const locker = new DatabaseSync(place.store);
  locker.exec('BEGIN IMMEDIATE');
  try {
    place.write(2, 3);
    expect(await problemOf(recorder)).toMatch(/audit\.db failed: database is locked$/);
  } finally {
    locker.exec('ROLLBACK');
    locker.close();
  }
  await wellAgain(recorder);
  expect(idsIn(place.store)).toEqual(ids(1, 2, 3));
  expect(recorder.troubles.at(-1)).toEqual({ of: 'recording' });
});

describe('a store with overwritten pages', () => {
  const ALL = upTo(1500);

  // As the message says: its name is free then, and the log has everything.
  async function moveAway(recorder: RunningRecorder, lines: number): Promise<void> {
    expect(await problemOf(recorder)).toMatch(
      /audit\.db is damaged \(database disk image is malformed\)\. .* move it away.* new one from the log$/,
    );
    for (const end of ['', '-wal', '-shm']) {
      if (existsSync(place.store + end)) renameSync(place.store + end, `${place.store}.away${end}`);
    }
    await begunAnew(recorder, lines);
  }

  test('while it was closed: it says so, and makes a new one when it is moved away', async () => {
    await recorded(...ALL);
    overwrite(place.store, 20, 60);
    place.write(1501);
    await moveAway(place.start(), 1501);
    expect(idsIn(place.store)).toEqual(ids(...upTo(1501)));
  });

  test('while it is open: the same, as soon as they are read', async () => {
    await recorded(...ALL);
    const recorder = place.start();
    await recorder.until('its rows', ({ rows }) => rows > ALL.length);
    overwrite(place.store, 10, Math.floor(statSync(place.store).size / 4096) - 10);
    place.write(...upTo(2000).slice(1500));
    await moveAway(recorder, 2000);
    expect(idsIn(place.store)).toEqual(ids(...upTo(2000)));
  });
});

test.each([
  ['removed', (path: string) => rmSync(path)],
  ['moved away', (path: string) => renameSync(path, `${path}.away`)],
])('a store that is %s while it is open: it says so, and makes a new one', async (_how, act) => {
  await recorded(1, 2);
  const recorder = place.start();
  await recorder.until('its rows', ({ rows }) => rows > 2);
  act(place.store);
  place.write(3);
  expect(await problemOf(recorder)).toMatch(/audit\.db was moved, removed or replaced/);
  await begunAnew(recorder, 3);
  expect(idsIn(place.store)).toEqual(ids(1, 2, 3));
});

test('a file in the place of the state folder: it says so, and begins when that is away', async () => {
  writeFileSync(place.state, '');
  place.write(1);
  const recorder = place.start();
  expect(await problemOf(recorder)).toMatch(/audit\.db failed: (?:ENOTDIR|EEXIST)/);
  rmSync(place.state);
  await wellAgain(recorder);
  expect(idsIn(place.store)).toEqual(ids(1));
});

test('a file for signed heads that can’t be written: it says so, and publishes the last one later', async () => {
  const headsFile = join(place.state, 'heads.jsonl');
  mkdirSync(headsFile, { recursive: true });
  place.write(1, 2);
  const recorder = place.start();
  expect(await problemOf(recorder)).toMatch(
    /signed heads can't be appended to .*heads\.jsonl: EISDIR/,
  );
  await recorder.until('its rows', ({ rows }) => rows > 2);
  rmSync(headsFile, { recursive: true });
  await recorder.stop();
  const lines = readFileSync(headsFile, 'utf8').trim().split('\n');
  expect(lines.map((line) => parseHeadLine(line)?.sequence)).toEqual([1, 3]);
});

const { PostgreSQL: kind } = databaseKinds();
const maybeServer = kind?.missing === undefined ? describe : describe.skip;

maybeServer('a server', () => {
  let server: Postgres;
  let url: string;
  let store: AuditStore;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    mkdirSync(place.state); // as the key ring does
    url = await server.url(`recording_${randomUUID()}`);
    store = await openStore(url);
  });
  afterEach(() => store.close());

  const start = () => place.start({ auditStore: { url, chain: CHAIN } });
  const recordedIds = async () =>
    (await store.rowsAfter(0, 10_000)).filter(isRequest).map((row) => row.requestId);

  test('that goes away: it says so, and goes on when it is back', async () => {
    place.write(1, 2);
    const recorder = start();
    await recorder.until('its rows', ({ rows }) => rows > 2);
    await server.kill();
    place.write(...upTo(600).slice(2));
    expect(await problemOf(recorder)).toMatch(
      /^PostgreSQL at .* (?:refuses connections|broke the)/,
    );
    await server.restart();
    await wellAgain(recorder);
    expect(await recordedIds()).toEqual(ids(...upTo(600)));
  });

  test('with a damaged checkpoint: all is read again, nothing doubled, and an event says so', async () => {
    place.write(1, 2);
    const first = start();
    await first.until('its rows', ({ rows }) => rows > 2);
    await first.stop();
    await server.query(url, "UPDATE log_checkpoint SET checkpoint = 'garbage'");
    place.write(3);
    await wellAgain(start());
    expect(await recordedIds()).toEqual(ids(1, 2, 3));
    const gap = expect.objectContaining({ event: 'recorder-gap' });
    expect(await store.rowsAfter(0, 10_000)).toContainEqual(gap);
  });

  test('takes a line that a power cut left full of NUL bytes', async () => {
    place.write(1);
    appendFileSync(place.log, Buffer.concat([Buffer.alloc(5000), Buffer.from('\n')]));
    place.write(2);
    const recorder = start();
    await recorder.until('the line', ({ setAside }) => setAside === 1);
    await wellAgain(recorder);
    expect(await recordedIds()).toEqual(ids(1, 2));
  });
});

test('what was missing in the log is known for as long as a decision may be lost for it', async () => {
  const store = await openStore(place.store);
  let nowUs = Date.now() * 1000;
  const follower = createFollower({ path: place.log, isCheckpointLost: true });
  const recorder = createRecorder({
    follower,
    store,
    keys: [],
    rules: {
      ownAddresses: [],
      redact: String,
      address: String,
      sample: createSample(SAMPLE_EVERYTHING),
    },
    deliveries: [],
    notes: () => ({}),
    clock: () => nowUs,
  });
  place.write(1);
  expect(recorder.lastGap()).toBeUndefined();
  await recorder.step();
  nowUs += 24 * 3_600_000_000;
  expect(recorder.lastGap()).toMatch(/place in the log was damaged/);
  nowUs += 2 * 3_600_000_000;
  expect(recorder.lastGap()).toBeUndefined();
  follower.close();
  await store.close();
});

// Where nobody may mount one, these are not there at all: a skipped test would fail CI everywhere else.
if (mountable()) describe('a disk of its own', onADiskOfItsOwn);
else process.stderr.write('A disk of its own is not tried: nothing can be mounted here.\n');

function onADiskOfItsOwn(): void {
  let disk: string;
  let onDisk: Place;

  beforeEach(() => {
    disk = mkdtempSync(join(tmpdir(), 'signet-disk-'));
    mount('-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk);
    onDisk = makePlace(join(disk, 'state'));
  });
  afterEach(async () => {
    await onDisk.remove();
    run('umount', disk);
    rmSync(disk, { recursive: true, force: true });
  });

  const ballast = () => join(disk, 'ballast');

  /** Leaves no byte. */
  function fill(): void {
    const file = openSync(ballast(), 'a');
    try {
      for (let size = 65_536; size >= 1; size = Math.floor(size / 2)) {
        while (isWritten(file, size));
      }
    } finally {
      closeSync(file);
    }
  }

  test('that is full: it says so, and goes on when there is room', async () => {
    onDisk.write(1, 2);
    const recorder = onDisk.start();
    await recorder.until('its rows', ({ rows }) => rows > 2);
    fill();
    onDisk.write(...upTo(300).slice(2));
    expect(await problemOf(recorder)).toMatch(
      /audit\.db failed: (?:database or disk is full|disk I\/O error)$/,
    );
    rmSync(ballast());
    await wellAgain(recorder);
    expect(idsIn(onDisk.store)).toEqual(ids(...upTo(300)));
  });

  test('that is full at the start: it says so, and begins when there is room', async () => {
    fill();
    onDisk.write(1, 2);
    const recorder = onDisk.start();
    expect(await problemOf(recorder)).toMatch(/audit\.db failed: /);
    rmSync(ballast());
    await wellAgain(recorder);
    expect(idsIn(onDisk.store)).toEqual(ids(1, 2));
  });

  test('that can only be read: it says so, and goes on when it can be written', async () => {
    onDisk.write(1);
    const first = onDisk.start();
    await first.until('its rows', ({ rows }) => rows > 1);
    await first.stop();
    mount('-o', 'remount,ro', disk);
    onDisk.write(2);
    const recorder = onDisk.start();
    expect(await problemOf(recorder)).toMatch(/audit\.db failed: EROFS: read-only file system/);
    mount('-o', 'remount,rw', disk);
    await wellAgain(recorder);
    expect(idsIn(onDisk.store)).toEqual(ids(1, 2));
  });
}

function mountable(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'signet-disk-'));
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]).status === 0;
  if (isMounted) run('umount', folder);
  rmSync(folder, { recursive: true });
  return isMounted;
}

function mount(...args: string[]): void {
  run('mount', ...args);
}

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

function isWritten(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes)) === bytes;
  } catch {
    return false;
  }
}
