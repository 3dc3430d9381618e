// Decisions whose line doesn't come, through a real Caddy: what is open, what is settled in another way,
// and what is lost. Time passes by making the journal's entries older while the sidecar is stopped.
import { copyFileSync, mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventRow, StoredRow } from '../../sidecar/audit/row.ts';
import { SURE_AFTER_MS } from '../../sidecar/decisions/doubt.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { startGateProxy, type GateProxy } from '../fixtures/gate-proxy.ts';
import { backdate, journalPaths, readNoted } from '../fixtures/journal-bytes.ts';
import { createLedger, placesIn, type Ledger } from '../fixtures/ledger.ts';
import { readiness, type Readiness } from '../fixtures/sidecar.ts';
import { SITE } from '../fixtures/site.ts';
import { until } from '../fixtures/until.ts';

const SECOND_US = 1_000_000;
const DAY_US = 86_400 * SECOND_US;

/** Blocks `quiet` (nobody may) and `silent` (anyone signed in), both without a line in the log. */
const UNLOGGED = `
	handle /quiet/* {
		log_skip
		import protect quiet role:nobody {
			reverse_proxy APP
		}
	}
	handle /silent/* {
		log_skip
		import protect silent any {
			reverse_proxy APP
		}
	}`;
/** A loss is told when it has been sure for some time. */
const SURE_WITHIN_MS = SURE_AFTER_MS + 30_000;
/** From so many on a silent route is worth a warning. */
const REQUESTS = 6;

function journalsOf({ folder, accessLog }: Edge): string {
  return placesIn(folder, accessLog).journals;
}

/** Stops the sidecar, makes what it has decided so much older, and starts it again. */
async function letTimePass(edge: Edge, us: number): Promise<void> {
  await edge.sidecar().stop();
  for (const path of journalPaths(journalsOf(edge)).values()) backdate(path, us);
  await edge.startSidecar();
}

/** How many decisions the journals know of. */
function issued(edge: Edge): number {
  return [...journalPaths(journalsOf(edge)).values()].flatMap(readNoted).length;
}

type Decisions = Readiness['checks'][string] & {
  readonly open?: number;
  readonly overdue?: number;
};

/** Resolves to the check of decisions, as soon as `condition` holds for it. */
async function decisions(edge: Edge, condition: (check: Decisions) => boolean): Promise<Decisions> {
  let check: Decisions = { ok: false };
  await until(
    'the state of decisions',
    async () => {
      const { checks } = await readiness(edge.healthPort, edge.sidecar());
      check = checks['decisions'] ?? check;
      return condition(check);
    },
    SURE_WITHIN_MS,
  );
  return check;
}

function lostRows(edge: Edge): (StoredRow & EventRow)[] {
  return edge.allRows().filter((row): row is StoredRow & EventRow => row.kind === 'lost');
}

describe('routes with log_skip', () => {
  let edge: Edge;
  const refused: string[] = [];
  beforeAll(async () => {
    edge = await startEdge(UNLOGGED + SITE);
    const alice = await edge.signIn('alice');
    for (let sent = 0; sent < REQUESTS; sent++) {
      refused.push((await edge.send('/quiet/x', [alice])).requestId);
      await edge.send('/silent/x', [alice]);
      await edge.send('/orders', [alice]);
    }
  });
  afterAll(async () => edge.stop());

  test('a minute has not passed: their decisions are open, and nothing is lost', async () => {
    const { ok } = await decisions(edge, ({ open }) => open === 2 * REQUESTS);
    expect({ ok, lost: lostRows(edge) }).toEqual({ ok: true, lost: [] });
  });

  test('after a minute the refused ones are lost, with who and where', async () => {
    await letTimePass(edge, 61 * SECOND_US);
    await decisions(edge, ({ open }) => open === REQUESTS);
    const lost = lostRows(edge).map(({ details, user, route }) => ({
      requestId: details['request'],
      cause: details['cause'],
      user,
      route,
    }));
    expect(lost).toEqual(
      refused.map((requestId) => {
        return { requestId, cause: 'refused-without-line', user: 'alice', route: 'quiet' };
      }),
    );
  });

  test('the warning names the route and log_skip', async () => {
    const { problem } = await decisions(edge, (check) => check.problem !== undefined);
    expect(problem).toMatch(/`quiet`.*`log_skip`/);
  });

  test('the allowed ones are still open, and overdue', async () => {
    const { overdue } = await decisions(edge, ({ open }) => open === REQUESTS);
    expect(overdue).toBe(REQUESTS);
  });

  test('a silent route is warned of while its requests may still be open', async () => {
    await edge.sidecar().stop();
    await edge.startSidecar(); // forgets that something was lost
    const { problem } = await decisions(edge, (check) => check.problem !== undefined);
    expect(problem).toMatch(/`silent`.*`log_skip`.*signet audit open/);
  });

  test('after a day the allowed ones are lost, too', async () => {
    await letTimePass(edge, DAY_US);
    await decisions(edge, ({ open }) => open === 0);
    const routes = lostRows(edge).map(({ details, route }) => [details['cause'], route]);
    expect(routes.slice(REQUESTS)).toEqual(refused.map(() => ['open-too-long', 'silent']));
  });

  test('a loss is told once: the next start adds no row', async () => {
    const lost = lostRows(edge);
    await letTimePass(edge, DAY_US);
    await decisions(edge, ({ open }) => open === 0);
    expect(lostRows(edge)).toEqual(lost);
  });
});

describe('a WebSocket', () => {
  let edge: Edge;
  let alice: string;
  beforeAll(async () => {
    edge = await startEdge(SITE);
    alice = await edge.signIn('alice');
  });
  afterAll(async () => edge.stop());

  test('is open as long as it lasts, over a kill of the sidecar, and settled when it closes', async () => {
    const webSocket = await edge.openWebSocket('/orders/ws', alice);
    await decisions(edge, ({ open }) => open === 1);
    await edge.sidecar().kill();
    await edge.startSidecar();
    await decisions(edge, ({ open }) => open === 1);
    await webSocket.close();
    const { ok } = await decisions(edge, ({ open }) => open === 0);
    expect({ ok, lost: lostRows(edge) }).toEqual({ ok: true, lost: [] });
  });
});

describe('an answer of the gate that never reaches Caddy', () => {
  let edge: Edge;
  let proxy: GateProxy;
  let ledger: Ledger;
  let alice: string;
  beforeAll(async () => {
    proxy = await startGateProxy();
    edge = await startEdge(SITE, { gate: proxy.address });
    proxy.leadTo(`${edge.folder}/run/sidecar.sock`);
    ledger = createLedger(placesIn(edge.folder, edge.accessLog));
    alice = await edge.signIn('alice');
    await decisions(edge, ({ open }) => open === 0);
  });
  afterAll(async () => edge.stop());
  afterAll(async () => proxy.stop());

  /** Resolves to the books when they balance and nothing is open. */
  async function settled() {
    let books = ledger.balance();
    await until('nothing open', () => {
      books = ledger.balance();
      return books.problems.length === 0 && books.fates.open.length === 0;
    });
    const { superseded, unanswered, lost } = books.fates;
    return { superseded, unanswered, lost };
  }

  test('is superseded when Caddy asks again', async () => {
    await edge.send('/orders', [alice]); // keeps the connection on which the next one asks
    proxy.swallow(1);
    const { status } = await edge.send('/orders', [alice]);
    expect({ status, ...(await settled()) }).toEqual({
      status: 200,
      superseded: 1,
      unanswered: 0,
      lost: 0,
    });
  });

  test('is settled by the line of the request, when the sidecar died with it', async () => {
    const before = issued(edge);
    proxy.swallow(1, async () => {
      // It is noted after the answer was sent; a moment in between leaves nothing to settle.
      await until('the note', () => issued(edge) > before);
      await edge.sidecar().kill();
    });
    const { status } = await edge.send('/orders', [alice]);
    await edge.startSidecar();
    expect({ status, ...(await settled()) }).toEqual({
      status: 502,
      superseded: 1,
      unanswered: 1,
      lost: 0,
    });
  });
});

describe('a log that can’t be read', () => {
  let edge: Edge;
  let away: string;
  let startedMs: number;
  beforeAll(async () => {
    edge = await startEdge(SITE);
    away = `${edge.accessLog}.away`;
    const { store } = placesIn(edge.folder, edge.accessLog);
    await decisions(edge, ({ open }) => open === 0);
    await edge.sidecar().stop();
    copyFileSync(store, `${store}.before`);

    await edge.startSidecar();
    for (let sent = 0; sent < REQUESTS; sent++) await edge.send('/orders');
    await until('their rows', () => edge.rows().length === REQUESTS);
    await edge.sidecar().kill();
    // As if it had not come to read their lines; and now it can't.
    for (const end of ['-wal', '-shm']) rmSync(store + end, { force: true });
    renameSync(`${store}.before`, store);
    renameSync(edge.accessLog, away);
    mkdirSync(edge.accessLog);
    await letTimePass(edge, 61 * SECOND_US);
    startedMs = performance.now();
  });
  afterAll(async () => edge.stop());

  test('makes nothing lost: the lines may be in it', async () => {
    const isSure = () => performance.now() - startedMs > SURE_AFTER_MS + 3000;
    await until('the time after which a loss is sure', isSure, SURE_WITHIN_MS);
    await decisions(edge, ({ open }) => open === REQUESTS);
    expect(lostRows(edge)).toEqual([]);
  });

  test('when it can be read again every decision has its row', async () => {
    rmdirSync(edge.accessLog);
    renameSync(away, edge.accessLog);
    await decisions(edge, ({ open }) => open === 0);
    expect({ rows: edge.rows().length, lost: lostRows(edge) }).toEqual({
      rows: REQUESTS,
      lost: [],
    });
  });
});
