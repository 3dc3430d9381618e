// Twenty kill -9 of the sidecar at random moments under load, and one of Caddy: every answer that a
// client was given, every row, span and number of a decision is accounted for. `npm run test:kill -- 500`
// is the long form. SIGNET_TEST_SEED repeats what a failed run has drawn, if not its exact moments.
import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventRow, StoredRow } from '../../sidecar/audit/row.ts';
import { journalFolder } from '../../sidecar/places.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import type { OpenDecision } from '../fixtures/fates.ts';
import { backdate, journalPaths } from '../fixtures/journal-bytes.ts';
import { killSummary, type KillReport } from '../fixtures/kill-report.ts';
import { createKillRun, type KillRun } from '../fixtures/kill-run.ts';
import { createRandom, testSeeds } from '../fixtures/random.ts';
import { SITE } from '../fixtures/site.ts';
import { ask } from '../fixtures/traffic.ts';
import { until } from '../fixtures/until.ts';

const KILLS = 10;
const SLOW_REQUESTS = 8;
/** Ten starts, and then the books' own time: some twenty seconds, where nothing else is to be done. */
const WITHIN_MS = 300_000;
const TWO_DAYS_US = 2 * 86_400_000_000;

const [seed = 0] = testSeeds(1);
let edge: Edge;
let run: KillRun;
let alice: string;
beforeAll(async () => {
  process.stdout.write(`kill -9, often: SIGNET_TEST_SEED=${seed} repeats this\n`);
  edge = await startEdge(SITE);
  alice = await edge.signIn('alice');
  run = await createKillRun(edge, alice, createRandom(seed));
});
afterAll(async () => edge.stop());
afterAll(async () => run.close());

async function balance(): Promise<KillReport> {
  const report = await run.balance();
  process.stdout.write(`${killSummary(report)}\n`);
  return report;
}

async function killOften(): Promise<KillReport> {
  run.load();
  for (let killed = 0; killed < KILLS; killed++) await run.killSidecar();
  return balance();
}

const requestIdsOf = (open: readonly OpenDecision[]) =>
  new Set(open.map(({ requestId }) => requestId));

test(
  'after ten kills every answer, line, row, span and number is there once, and nothing is open',
  async () => {
    const { kills, fates } = await killOften();
    expect({ kills, open: fates.open }).toEqual({ kills: KILLS, open: [] });
  },
  WITHIN_MS,
);

describe('when Caddy is killed', () => {
  const atTheApp = new Set<string>();
  let open: readonly OpenDecision[];

  beforeAll(async () => {
    run.load();
    const agent = new Agent();
    const cookie = alice.replace('Cookie: ', '');
    const slow = Array.from({ length: SLOW_REQUESTS }, () =>
      ask(agent, edge.port, { path: '/orders/slow?ms=60000', headers: { cookie } }),
    );
    await until('slow requests at the app', () => {
      for (const seen of edge.app.seen) {
        if (seen.url.endsWith('=60000')) atTheApp.add(seen.values('x-request-id').join());
      }
      return atTheApp.size === SLOW_REQUESTS;
    });
    await run.killCaddy();
    await Promise.all(slow);
    agent.destroy();
    ({
      fates: { open },
    } = await balance());
  }, WITHIN_MS);

  test('what it had not answered is open, with who and where', () => {
    const byId = new Map(open.map((one) => [one.requestId, one]));
    const slow = [...atTheApp].map((id) => byId.get(id));
    expect(slow.map((one) => ({ user: one?.user, route: one?.route }))).toEqual(
      [...atTheApp].map(() => ({ user: 'alice', route: 'orders' })),
    );
  });

  test(
    'after ten more kills of the sidecar the same are open',
    async () => {
      const { fates } = await killOften();
      expect(requestIdsOf(fates.open)).toEqual(requestIdsOf(open));
    },
    WITHIN_MS,
  );

  test(
    'a day later they are lost, and nothing is open',
    async () => {
      expect(await edge.sidecar().stop()).toBe(0);
      for (const path of journalPaths(journalFolder(edge.folder)).values()) {
        backdate(path, TWO_DAYS_US);
      }
      await edge.startSidecar();
      await until('rows of the lost', () => lostRows().length === open.length, 60_000);
      const { fates } = await balance();
      expect({ lost: fates.lost, open: fates.open }).toEqual({ lost: open.length, open: [] });
      expect(new Set(lostRows().map(({ details }) => details['request']))).toEqual(
        requestIdsOf(open),
      );
    },
    WITHIN_MS,
  );
});

function lostRows(): readonly EventRow[] {
  return edge.allRows().filter((row): row is StoredRow & EventRow => row.kind === 'lost');
}
