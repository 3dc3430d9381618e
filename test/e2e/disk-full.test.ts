// Full disks through a real Caddy: that of the state, and that of Caddy's log. Requests go on, it is said what
// is full, and when there is room again everything recovers by itself.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventRow, StoredRow } from '../../sidecar/audit/row.ts';
import { SURE_AFTER_MS } from '../../sidecar/decisions/doubt.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { backdate, journalPaths } from '../fixtures/journal-bytes.ts';
import { createLedger, placesIn } from '../fixtures/ledger.ts';
import { verifyState } from '../fixtures/proven.ts';
import { readiness } from '../fixtures/sidecar.ts';
import { SITE } from '../fixtures/site.ts';
import { mountSmallDisk, type SmallDisk } from '../fixtures/small-disk.ts';
import { until } from '../fixtures/until.ts';

/** Two journals of the gate, the stores, and what their logs grow to here. */
const STATE_MIB = 24;
const LOG_MIB = 2;
const REQUESTS = 30;
/** A loss is told when it has been sure for some time. */
const SURE_WITHIN_MS = SURE_AFTER_MS + 30_000;

let edge: Edge;
let stateDisk: SmallDisk;
let logDisk: SmallDisk;
let alice: string;
beforeAll(async () => {
  edge = await startEdge(SITE);
  await Promise.all([edge.sidecar().stop(), edge.caddy().stop()]);
  stateDisk = mountSmallDisk(edge.folder, STATE_MIB);
  const logs = join(edge.folder, 'log');
  mkdirSync(logs);
  logDisk = mountSmallDisk(logs, LOG_MIB);
  await edge.startCaddy();
  await edge.startSidecar();
  alice = await edge.signIn('alice');
});
afterAll(async () => {
  await Promise.all([edge.sidecar().stop(), edge.caddy().stop()]);
  logDisk.unmount();
  stateDisk.unmount();
  await edge.stop();
});

/** Resolves to the check of that name, as soon as it has a problem like this, or none. */
async function checked(name: string, problem: RegExp | undefined, withinMs = 25_000) {
  let last: unknown;
  await until(
    `the check ${name}`,
    async () => {
      const { checks } = await readiness(edge.healthPort, edge.sidecar());
      last = checks[name];
      const said = checks[name]?.problem;
      return problem === undefined ? checks[name]?.ok === true : problem.test(said ?? '');
    },
    withinMs,
  ).catch((cause: unknown) => {
    throw new Error(JSON.stringify(last), { cause });
  });
}

async function statuses(count: number): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let sent = 0; sent < count; sent++) {
    const [allowed, refused, open] = [
      await edge.send('/orders', [alice]),
      await edge.send('/admin/x', [alice]),
      await edge.send('/public/x'),
    ];
    seen.add([allowed, refused, open].map(({ status }) => status).join(' '));
  }
  return seen;
}

describe('the disk of the state is full', () => {
  beforeAll(async () => {
    await checked('recorder', undefined);
    stateDisk.fill();
  });
  afterAll(() => stateDisk.free());

  test('requests of those who are signed in are decided as ever', async () => {
    expect(await statuses(REQUESTS)).toEqual(new Set(['200 403 200']));
  });

  test('/readyz says that the store can’t be written, and so does the log; the gate is ready', async () => {
    await checked('recorder', /audit\.db failed: .*(?:disk is full|disk I\/O error|ENOSPC)/);
    const { status, httpStatus } = await readiness(edge.healthPort, edge.sidecar());
    expect({ status, httpStatus }).toEqual({ status: 'degraded', httpStatus: 200 });
    expect(edge.sidecar().printed()).toContain('evidence is not recorded; requests go on');
  });

  test('a new sign-in is refused at once with a page that says why', async () => {
    stateDisk.fill(); // the store has given back its log when it was closed
    const beganMs = performance.now();
    await expect(edge.signIn('bob')).rejects.toThrow(
      /sign-in of bob: 503 .*be stored at the moment/s,
    );
    expect(performance.now() - beganMs).toBeLessThan(5000);
  });

  test('when there is room again every line has its row, once, and people can sign in', async () => {
    const lines = edge.logLines().length;
    stateDisk.free();
    await checked('recorder', undefined);
    await until('a row for each line', () => edge.rows().length >= lines);
    await edge.signIn('bob');
    await until('their rows', () => edge.rows().length === edge.logLines().length);
    const ledger = createLedger(placesIn(edge.folder, edge.accessLog));
    await until('books without problems', () => ledger.balance().problems.length === 0);
    expect(ledger.balance().fates.lost).toBe(0);
  });

  test('and verification passes', async () => {
    expect((await verifyState(edge.folder)).findings).toEqual([]);
  });
});

describe('the disk of Caddy’s log is full', () => {
  let before: number;
  beforeAll(async () => {
    await checked('recorder', undefined);
    before = edge.rows().length;
    logDisk.fill();
  });
  afterAll(() => logDisk.free());

  test('requests go on, and Caddy loses their lines', async () => {
    expect(await statuses(REQUESTS)).toEqual(new Set(['200 403 200']));
    expect(edge.logLines().length - before).toBeLessThan(3 * REQUESTS);
  });

  test('refusals without a line are lost after a minute, and it is said that the log’s disk is full', async () => {
    await edge.sidecar().stop();
    for (const path of journalPaths(placesIn(edge.folder, edge.accessLog).journals).values()) {
      backdate(path, 61_000_000);
    }
    await edge.startSidecar();
    await checked('decisions', /the disk of Caddy's log is full/, SURE_WITHIN_MS);
    const lost = edge.allRows().filter((row): row is StoredRow & EventRow => row.kind === 'lost');
    expect(lost.length).toBeGreaterThan(REQUESTS / 2);
    expect(lost.every(({ route, user }) => route === 'admin' && user === 'alice')).toBe(true);
  });

  test('when there is room again new lines have rows, and none is there twice', async () => {
    logDisk.free();
    await statuses(2);
    const { requestId } = await edge.send('/orders', [alice]);
    await edge.row(requestId);
    const ids = edge.rows().map((row) => row.requestId);
    expect(new Set(ids).size).toBe(ids.length);
    expect((await verifyState(edge.folder)).findings).toEqual([]);
  });
});

describe('the disk of the state is full when the sidecar starts, after an orderly stop', () => {
  beforeAll(async () => {
    await edge.sidecar().stop();
    stateDisk.fill();
    await edge.startSidecar();
  });
  afterAll(() => stateDisk.free());

  test('open blocks are served, and sessions are refused until they can be read', async () => {
    expect((await edge.send('/public/x')).status).toBe(200);
    expect((await edge.send('/orders', [alice])).status).toBe(503);
  });

  test('/readyz and the log say what is full, and nobody is sent here for sessions', async () => {
    await checked('sessions', /sessions\.db failed: .*(?:disk is full|disk I\/O error|ENOSPC)/);
    await checked('recorder', /audit\.db failed: /);
    await checked('journal', /decisions can't be noted until the next start/);
    const { httpStatus } = await readiness(edge.healthPort, edge.sidecar());
    expect(httpStatus).toBe(503);
    await until('the log', () => edge.sidecar().printed().includes('a disk is full'));
  });

  test('when there is room again those who were signed in are, and each line has its row', async () => {
    stateDisk.free();
    await checked('sessions', undefined);
    await checked('recorder', undefined);
    expect(await statuses(1)).toEqual(new Set(['200 403 200']));
    await until('a row for each line', () => edge.rows().length === edge.logLines().length);
    expect((await verifyState(edge.folder)).findings).toEqual([]);
  });
});
