// What is told of each start, in a real store: that it was opened, and what has changed since the last time;
// and where the parts of the state lie.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { StoredRow } from '../../sidecar/audit/row.ts';
import type { AuditStore } from '../../sidecar/audit/store.ts';
import { explain } from '../../sidecar/fault.ts';
import { recordOpening, type Opening } from '../../sidecar/opening.ts';
import { auditPlace } from '../../sidecar/places.ts';
import { secret } from '../../sidecar/secret.ts';
import { STARTED_AT_US } from '../fixtures/rows.ts';
import { openStore } from '../fixtures/stores.ts';

let folder: string;
let store: AuditStore;
let starts: number;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-opening-'));
  store = await openStore(join(folder, 'audit.db'));
  starts = 0;
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

/** A start of its own, unless it is told whose. */
function start(changes: Partial<Opening> = {}): Promise<void> {
  starts += 1;
  const opening = {
    bootId: `boot-${starts}`,
    version: '1.2.3',
    reloads: 0,
    keyIds: ['k1'],
    settings: [{ issuer: 'k1-a', hosts: 'k1-b' }],
    ...changes,
  };
  return recordOpening(store, opening, STARTED_AT_US + starts);
}

const TOLD = (row: StoredRow) =>
  'event' in row ? { event: row.event, ...row.details } : { event: 'none' };

/** What was told by the events after the first start's. */
async function toldSince(): Promise<object[]> {
  const rows = await store.rowsAfter(1, 100);
  return rows.map(TOLD).filter(({ event }) => event !== 'store-opened');
}

test('the first start tells that the store was opened, by which version, and nothing else', async () => {
  await start();
  expect(await store.rowsAfter(0, 10)).toMatchObject([
    {
      kind: 'event',
      event: 'store-opened',
      requestId: 'store-opened:boot-1',
      details: { boot: 'boot-1', version: '1.2.3' },
      startedAtUs: STARTED_AT_US + 1,
    },
  ]);
});

test('each start tells that the store was opened', async () => {
  await start();
  await start();
  const rows = await store.rowsAfter(0, 10);
  expect(rows.map(TOLD)).toMatchObject([{ boot: 'boot-1' }, { boot: 'boot-2' }]);
});

test('a second opening in one run tells nothing again, also when there was a change', async () => {
  await start();
  const changed = { bootId: 'boot-2', keyIds: ['k2', 'k1'], settings: [{}, {}] };
  await start(changed);
  const before = await store.rowsAfter(0, 100);
  await start(changed);
  expect(await store.rowsAfter(0, 100)).toEqual(before);
  expect(before).toHaveLength(4);
});

describe('the key ring', () => {
  test('that is the same is no news', async () => {
    await start({ keyIds: ['k1', 'k2'], settings: [{}, {}] });
    await start({ keyIds: ['k1', 'k2'], settings: [{}, {}] });
    expect(await toldSince()).toEqual([]);
  });

  test('that has changed is told by the ids of its keys', async () => {
    await start({ keyIds: ['k1', 'k2'], settings: [{}, {}] });
    await start({ keyIds: ['k3', 'k1'], settings: [{}, {}] });
    expect(await toldSince()).toEqual([
      { event: 'key-ring-changed', seals: 'k3', added: 'k3', removed: 'k2' },
    ]);
  });

  test('of which another key seals is told', async () => {
    await start({ keyIds: ['k1', 'k2'], settings: [{}, {}] });
    await start({ keyIds: ['k2', 'k1'], settings: [{}, {}] });
    expect(await toldSince()).toEqual([
      { event: 'key-ring-changed', seals: 'k2', added: '', removed: '' },
    ]);
  });
});

describe('settings', () => {
  test('that have changed, came or went are told by name', async () => {
    await start({ settings: [{ issuer: 'a', hosts: 'b', keys: 'c' }] });
    await start({ settings: [{ issuer: 'a', hosts: 'X', claims: 'd' }] });
    expect(await toldSince()).toEqual([
      { event: 'configuration-changed', changed: 'claims, hosts, keys' },
    ]);
  });

  test('that leave open sessions as they were say so', async () => {
    await start();
    const sessions = ['those of one keep theirs', 'those of two too'];
    await start({ settings: [{ issuer: 'k1-a', hosts: 'k1-b', claims: 'c' }], sessions });
    expect(await toldSince()).toEqual([
      {
        event: 'configuration-changed',
        changed: 'claims',
        sessions: 'those of one keep theirs. those of two too',
      },
    ]);
  });

  test('are told of once: the next start compares with this one', async () => {
    await start();
    await start({ settings: [{ issuer: 'X', hosts: 'k1-b' }] });
    await start({ settings: [{ issuer: 'X', hosts: 'k1-b' }] });
    expect(await toldSince()).toHaveLength(1);
  });

  test('are compared by the key that they were fingerprinted with, wherever it stands now', async () => {
    await start();
    const settings = [
      { issuer: 'k2-a', hosts: 'k2-b' },
      { issuer: 'k1-a', hosts: 'k1-X' },
    ];
    await start({ keyIds: ['k2', 'k1'], settings });
    await start({ keyIds: ['k2'], settings: settings.slice(0, 1) });
    expect(await toldSince()).toMatchObject([
      { event: 'key-ring-changed' },
      { event: 'configuration-changed', changed: 'hosts' },
      { event: 'key-ring-changed', removed: 'k1' },
    ]);
  });

  test('that nobody can compare are said to be unknown, and not changed one by one', async () => {
    await start();
    await start({ keyIds: ['k9'], settings: [{ issuer: 'k9-a', hosts: 'k9-b' }] });
    expect(await toldSince()).toMatchObject([
      { event: 'key-ring-changed', added: 'k9', removed: 'k1' },
      { event: 'configuration-changed', changed: expect.stringMatching(/^unknown: the key/) },
    ]);
  });

  test.each(['garbage', '', 'null', '[]', '["a"]', '"text"', '7', '{}'])(
    'all of them have changed when what was remembered is %j',
    async (damaged) => {
      await start();
      await store.commit({ rows: [], notes: { settings: damaged } });
      await start();
      expect(await toldSince()).toEqual([
        { event: 'configuration-changed', changed: 'hosts, issuer' },
      ]);
    },
  );

  test('no value is in the store, only what it was fingerprinted as', async () => {
    await start();
    expect(await store.note('settings')).toBe('{"issuer":"k1-a","hosts":"k1-b"}');
  });
});

describe('the chain of a database that several share', () => {
  const shared = () => ({ stateFolder: join(folder, 'state'), auditStore: secret('postgres://x') });
  const chainOf = () => {
    const place = auditPlace(shared());
    return 'chain' in place ? place.chain : '';
  };

  test('has a name that is made once', () => {
    expect(chainOf()).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    expect(chainOf()).toBe(readFileSync(join(folder, 'state', 'chain'), 'utf8').trim());
    expect(readdirSync(join(folder, 'state'))).toEqual(['chain']);
  });

  test('gets its name whole, or not at all: whoever was killed meanwhile left none', () => {
    chainOf();
    const path = join(folder, 'state', 'chain');
    rmSync(path);
    writeFileSync(`${path}.new`, 'ab');
    expect(chainOf()).toMatch(/^[0-9a-f-]{36}$/);
    expect(existsSync(`${path}.new`)).toBe(false);
  });

  test('with another name than it can have is refused, and left as it is', () => {
    chainOf();
    const path = join(folder, 'state', 'chain');
    writeFileSync(path, 'half-a-na');
    expect(chainOf).toThrow(/does not hold the name of a chain: restore it, or take it away/);
    expect(readFileSync(path, 'utf8')).toBe('half-a-na');
  });

  test('that can’t be kept is a Fault that says why', () => {
    writeFileSync(join(folder, 'state'), '');
    let said = '';
    try {
      chainOf();
    } catch (error) {
      said = explain(error);
    }
    expect(said).toMatch(/the chain's name can't be kept in .*chain: E(?:NOTDIR|EXIST)/);
  });
});
