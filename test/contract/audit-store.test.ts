// What the recorder, the destinations and the CLI rely on in the audit store: a real SQLite file.
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { setAsideLine } from '../../sidecar/accesslog/set-aside.ts';
import { query } from '../../sidecar/audit/query.ts';
import {
  openAuditReader,
  openAuditStore,
  type AuditReader,
  type AuditStore,
} from '../../sidecar/audit/store.ts';
import { Fault } from '../../sidecar/fault.ts';
import { aFullRow, aRow, CHECKPOINT, requestId } from '../fixtures/rows.ts';

let folder: string;
let path: string;
const open: { close(): void }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-store-'));
  path = join(folder, 'state', 'audit.db');
});

afterEach(() => {
  for (const each of open.splice(0).reverse()) each.close();
  rmSync(folder, { recursive: true, force: true });
});

function openStore(): AuditStore {
  const store = openAuditStore(path);
  open.push(store);
  return store;
}

function openReader(): AuditReader {
  const reader = openAuditReader(path);
  open.push(reader);
  return reader;
}

const batch = (...numbers: number[]) => ({
  rows: numbers.map((number) => aRow({}, number)),
  setAside: [],
  checkpoint: CHECKPOINT,
});

describe('a row', () => {
  test('comes back as it was stored, with every field and with none', () => {
    const { identity: _identity, route: _route, requirement: _requirement, ...bare } = aRow({}, 2);
    const store = openStore();
    store.commit({ rows: [aFullRow(), bare], setAside: [], checkpoint: CHECKPOINT });
    expect(store.rowsAfter(0, 10)).toEqual([
      { ...aFullRow(), sequence: 1 },
      { ...bare, sequence: 2 },
    ]);
  });

  test('keeps a team and a user of nobody else’s choosing: quotes, NUL, emoji', () => {
    const row = aRow({ path: `/'";--\0\u009b\u{1f600}`, userAgent: '' });
    const store = openStore();
    store.commit({ rows: [row], setAside: [], checkpoint: CHECKPOINT });
    expect(store.rowsAfter(0, 1)).toEqual([{ ...row, sequence: 1 }]);
  });

  test('is stored once, however often its line is read', () => {
    const store = openStore();
    expect(store.commit(batch(1, 2))).toMatchObject({ added: 2, duplicates: 0 });
    expect(store.commit(batch(1, 2, 3))).toMatchObject({ added: 1, duplicates: 2 });
    expect(store.counts()).toMatchObject({ rows: 3, lastSequence: 3 });
  });

  test('that is there never changes', () => {
    const store = openStore();
    store.commit(batch(1));
    store.commit({ ...batch(), rows: [aRow({ status: 500 }, 1)] });
    expect(store.rowsAfter(0, 9)).toMatchObject([{ status: 200 }]);
  });

  test('has the next sequence: duplicates leave no gap', () => {
    const store = openStore();
    store.commit(batch(1));
    store.commit(batch(1, 1, 2));
    store.commit(batch(2, 1, 3));
    expect(store.rowsAfter(0, 9).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });

  test('is read by destinations in order, from where they are', () => {
    const store = openStore();
    store.commit(batch(1, 2, 3));
    expect(store.rowsAfter(1, 1)).toMatchObject([{ sequence: 2, requestId: requestId(2) }]);
    expect(store.rowsAfter(3, 1)).toEqual([]);
  });
});

describe('a batch', () => {
  test('is stored whole or not at all, with its checkpoint', () => {
    const store = openStore();
    store.commit(batch(1));
    const broken = aRow({ status: 2.5 }, 3);
    expect(() =>
      store.commit({
        rows: [aRow({}, 2), broken],
        setAside: [],
        checkpoint: { ...CHECKPOINT, offset: 999 },
      }),
    ).toThrow(Fault);
    expect(store.counts()).toMatchObject({ rows: 1 });
    expect(store.checkpoint()).toEqual(CHECKPOINT);
    expect(store.commit(batch(2))).toMatchObject({ added: 1 });
  });

  test('that lacks a value fails loudly, and is not taken for a duplicate', () => {
    const { method: _method, ...rest } = aRow();
    const rows = [rest as ReturnType<typeof aRow>];
    expect(() => openStore().commit({ ...batch(), rows })).toThrow(/audit\.db failed/);
  });

  test('counts lines that were set aside, once each', () => {
    const store = openStore();
    const line = setAsideLine(Buffer.from('garbage'), 'not-json');
    expect(store.commit({ ...batch(), setAside: [line] })).toMatchObject({ setAside: 1 });
    expect(store.commit({ ...batch(), setAside: [line, line] })).toMatchObject({ setAside: 0 });
    expect(store.counts()).toEqual({ rows: 0, setAside: 1, lastSequence: 0 });
  });

  test('survives closing and opening', () => {
    const first = openAuditStore(path);
    expect(first.checkpoint()).toBeUndefined();
    first.commit({ ...batch(1), setAside: [setAsideLine(Buffer.from('x'), 'half-line')] });
    first.moveCursor('lightstep', 1);
    first.close();
    const again = openStore();
    expect(again.checkpoint()).toEqual(CHECKPOINT);
    expect(again.counts()).toEqual({ rows: 1, setAside: 1, lastSequence: 1 });
    expect(again.cursor('lightstep')).toBe(1);
  });
});

test('a destination’s cursor begins at 0 and is its own', () => {
  const store = openStore();
  store.moveCursor('one', 7);
  store.moveCursor('one', 9);
  expect([store.cursor('one'), store.cursor('two')]).toEqual([9, 0]);
});

test('the file is for its owner only, and so is the folder that was made for it', () => {
  openStore();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'state')).mode & 0o777).toBe(0o700);
});

describe('a reader', () => {
  test('reads beside the writer, and sees each batch whole', () => {
    const store = openStore();
    store.commit(batch(1, 2));
    const reader = openReader();
    const rows = reader.select('SELECT * FROM audit_rows ORDER BY sequence', [])[Symbol.iterator]();
    expect(rows.next().value).toMatchObject({ sequence: 1 });
    expect(store.commit(batch(3))).toMatchObject({ added: 1 });
    expect([...{ [Symbol.iterator]: () => rows }]).toHaveLength(1);
    expect(reader.lastSequence()).toBe(3);
  });

  test('notices that another one wrote', () => {
    const store = openStore();
    const reader = openReader();
    const before = reader.version();
    expect(reader.version()).toBe(before);
    store.commit(batch(1));
    expect(reader.version()).not.toBe(before);
  });

  test('reads without a writer', () => {
    const store = openAuditStore(path);
    store.commit(batch(1));
    store.close();
    expect([...query(openReader(), {})]).toHaveLength(1);
  });

  test('can’t write', () => {
    openStore();
    expect(() => [...openReader().select('DELETE FROM audit_rows', [])]).toThrow(/readonly/);
  });

  test('of a store that isn’t there says so, and makes none', () => {
    expect(() => openAuditReader(path)).toThrow(/no audit store at .* yet/);
    expect(existsSync(path)).toBe(false);
  });

  test('answers by user while rows are written', async () => {
    const writer = commitInAnotherProcess();
    try {
      await writer.committed(50);
      const reader = openReader();
      const newest = [...query(reader, { user: ['alice'], limit: 5 })];
      expect(newest).toHaveLength(5);
      const before = reader.lastSequence();
      await writer.committed(20);
      expect(reader.lastSequence()).toBeGreaterThan(before);
    } finally {
      await writer.kill();
    }
  });
});

describe('a file that is no sound store is refused and left as it is', () => {
  function expectLeftAlone(code: string, sentence: RegExp): void {
    const before = readFileSync(path);
    for (const opening of [openAuditStore, openAuditReader]) {
      const error = thrownBy(() => opening(path));
      expect(error).toMatchObject({ code });
      expect(error.message).toMatch(sentence);
    }
    expect(readFileSync(path)).toEqual(before);
  }

  function aClosedStore(): void {
    const store = openAuditStore(path);
    store.commit(batch(...Array.from({ length: 200 }, (_, number) => number)));
    store.close();
  }

  test('garbage', () => {
    aClosedStore();
    writeFileSync(path, 'garbage '.repeat(1000));
    expectLeftAlone('ERR_STORE_DAMAGED', /is damaged .* move it away/);
  });

  test('a store that was cut short', () => {
    aClosedStore();
    truncateSync(path, 5000);
    expectLeftAlone('ERR_STORE_DAMAGED', /is damaged/);
  });

  test('another program’s database', () => {
    aClosedStore();
    rmSync(path);
    const foreign = new DatabaseSync(path);
    foreign.exec('CREATE TABLE photos (name TEXT)');
    foreign.close();
    expectLeftAlone('ERR_STORE_DAMAGED', /not an audit store of Signet/);
  });

  test('a newer Signet’s', () => {
    aClosedStore();
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA journal_mode = DELETE; PRAGMA user_version = 99');
    newer.close();
    expectLeftAlone('ERR_STORE_NEWER', /written by a newer Signet \(its version is 99/);
  });

  test('a damaged page, found only when it is read', () => {
    aClosedStore();
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 8 * 4096, 30 * 4096);
    writeFileSync(path, bytes);
    const store = openStore();
    expect(thrownBy(() => store.rowsAfter(0, 1000))).toMatchObject({ code: 'ERR_STORE_DAMAGED' });
  });

  test('but an empty file is a store whose maker was killed', () => {
    aClosedStore();
    writeFileSync(path, '');
    expect(thrownBy(() => openAuditReader(path))).toMatchObject({ code: 'ERR_AUDIT_STORE' });
    expect(openStore().counts()).toMatchObject({ rows: 0 });
  });
});

test('kill -9 in the middle of commits: rows and checkpoint are of one mind, five times over', async () => {
  for (let round = 0; round < 5; round++) {
    const writer = commitInAnotherProcess();
    await writer.committed(20 + 7 * round);
    await writer.kill();
    const store = openAuditStore(path);
    const { rows, lastSequence } = store.counts();
    // The writer's checkpoint says how many rows it had committed with it.
    expect(store.checkpoint()?.offset).toBe(lastSequence);
    expect(store.rowsAfter(0, 1_000_000)).toHaveLength(rows);
    store.close();
  }
});

/** Starts a process that commits rows, three at a time, from where the store's checkpoint is. */
function commitInAnotherProcess() {
  const store = new URL('../../sidecar/audit/store.ts', import.meta.url);
  const fixtures = new URL('../fixtures/rows.ts', import.meta.url);
  const script = `
    import { openAuditStore } from ${JSON.stringify(store.href)};
    import { aRow, CHECKPOINT } from ${JSON.stringify(fixtures.href)};
    const store = openAuditStore(${JSON.stringify(path)});
    for (let at = store.checkpoint()?.offset ?? 0; ; at += 3) {
      const rows = [1, 2, 3].map((more) => aRow({}, at + more));
      store.commit({ rows, setAside: [], checkpoint: { ...CHECKPOINT, offset: at + 3 } });
      process.stdout.write('.');
      if (at % 60 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let commits = 0;
  let wake = () => {};
  child.stdout.on('data', (dots: Buffer) => {
    commits += dots.length;
    wake();
  });
  child.once('exit', () => wake());
  const exited = once(child, 'exit');
  open.push({ close: () => void child.kill('SIGKILL') });

  /** Resolves when so many more batches have been committed. */
  async function committed(more: number): Promise<void> {
    const wanted = commits + more;
    while (commits < wanted) {
      if (child.exitCode !== null) throw new Error('the writer has ended');
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  async function kill(): Promise<void> {
    child.kill('SIGKILL');
    await exited;
  }
  return { committed, kill };
}

function thrownBy(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
