// A power cut under load: the store has lost its last transactions, the log its end, in the middle of a
// line, and the machine is another one to the kernel. What can be told afterwards is told, and no more.
// SIGNET_TEST_SEED repeats where it was cut.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as wait } from 'node:timers/promises';
import type { EventRow, StoredRow } from '../../sidecar/audit/row.ts';
import { createAccessLines } from '../fixtures/access-lines.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { keyOf } from '../fixtures/fates.ts';
import { journalPaths, readNoted, type NotedDecision } from '../fixtures/journal-bytes.ts';
import { createLedger, placesIn, type Books } from '../fixtures/ledger.ts';
import {
  cutLog,
  cutStore,
  restartMachine,
  survivingIn,
  syncedWal,
  type Surviving,
} from '../fixtures/power-cut.ts';
import { publishedHeads, verifyState } from '../fixtures/proven.ts';
import { createRandom, testSeeds } from '../fixtures/random.ts';
import { readiness, type Readiness } from '../fixtures/sidecar.ts';
import { SITE } from '../fixtures/site.ts';
import { createTraffic, mixedAsks } from '../fixtures/traffic.ts';
import { until } from '../fixtures/until.ts';

const [seed = 0] = testSeeds(1);
const LOAD_MS = 2000;

describe.each(['behind', 'in front of'] as const)(
  `seed ${seed}: the log is cut %s the place that the store had read to`,
  (side) => {
    let edge: Edge;
    let surviving: Surviving;
    let noted: ReadonlyMap<string, NotedDecision>;
    let books: Books;

    beforeAll(async () => {
      process.stdout.write(`power cut: SIGNET_TEST_SEED=${seed} repeats this\n`);
      const random = createRandom(seed);
      edge = await startEdge(SITE);
      const { folder, accessLog, port } = edge;
      const { store, journals } = placesIn(folder, accessLog);
      const next = mixedAsks(await edge.signIn('alice'));
      // A head is signed when the recorder starts.
      await edge.sidecar().stop();
      const signed = publishedHeads(folder).length;
      await edge.startSidecar();
      await until('a signed head', () => publishedHeads(folder).length > signed);
      const synced = syncedWal(store);

      const traffic = createTraffic({ port, clients: 8, pauseMs: 20, random, next });
      traffic.start();
      await wait(LOAD_MS / 2 + random.below(LOAD_MS / 2));
      await Promise.all([edge.sidecar().kill(), edge.caddy().kill()]);
      await traffic.stop();
      traffic.close();

      const linesBefore = createAccessLines(accessLog)();
      cutStore(store, synced, random);
      surviving = survivingIn(store);
      cutLog(accessLog, surviving.logOffset, side, random);
      restartMachine(journals);
      noted = notedIn(journals);
      const left = new Set(createAccessLines(accessLog)().map(({ requestId }) => requestId));
      const ledger = createLedger(
        placesIn(folder, accessLog),
        linesBefore.filter(({ requestId: id }) => !left.has(id) && surviving.requestIds.has(id)),
      );
      ledger.keepJournals();

      await edge.startCaddy();
      await edge.startSidecar();
      await edge.send('/public/x');
      await until('balanced books', () => {
        books = ledger.balance();
        return books.problems.length === 0 && books.fates.open.length === 0;
      }).catch(async (cause: unknown) => {
        const { problems, fates } = books;
        const { checks } = await readiness(edge.healthPort, edge.sidecar());
        const shown = { problems: problems.slice(0, 10), open: fates.open.length, checks };
        throw new Error(JSON.stringify(shown, undefined, 2), { cause });
      });
    }, 60_000);
    afterAll(async () => edge.stop());

    test('no row is doubled or made up, and each line has its row', () => {
      expect(books.problems).toEqual([]);
    });

    test('what was recorded before stays as it was', () => {
      const hashes = edge.allRows().map(({ hash }) => hash);
      expect(hashes.slice(0, surviving.hashes.length)).toEqual(surviving.hashes);
    });

    test('each decision without a line is a row of its own, with who and where', () => {
      const lost = edge.allRows().filter((row): row is StoredRow & EventRow => row.kind === 'lost');
      const wanted = lost.map(({ details }) =>
        noted.get(keyOf(String(details['boot']), Number(details['first']))),
      );
      expect(
        lost.map(({ details, user, route }) => ({
          requestId: details['request'],
          user,
          route,
          decision: details['decision'],
        })),
      ).toEqual(
        wanted.map((one) => ({
          requestId: one?.requestId,
          user: one?.user,
          route: one?.route,
          decision: one?.decision,
        })),
      );
      expect(lost.length).toBeGreaterThan(0);
    });

    test('every number is accounted for', () => {
      const { issued, recorded, superseded, unanswered, lost } = books.fates;
      const numbers = [...issued.values()].reduce((sum, highest) => sum + highest, 0);
      expect(recorded + superseded + unanswered + lost).toBe(numbers);
    });

    test('the warning names the restart of the machine as the cause', async () => {
      const isTold = ({ checks }: Readiness) => checks['decisions']?.problem !== undefined;
      const { checks } = await readiness(edge.healthPort, edge.sidecar(), isTold);
      expect(checks['decisions']?.problem).toContain('the machine was restarted');
    });

    test('the chain verifies against every head that was published', async () => {
      const { findings, published } = await verifyState(edge.folder);
      expect({ findings, isProven: published > 2 }).toEqual({ findings: [], isProven: true });
    });
  },
);

function notedIn(journals: string): Map<string, NotedDecision> {
  const all = [...journalPaths(journals).values()].flatMap(readNoted);
  return new Map(all.map((one) => [keyOf(one.bootId, one.number), one]));
}
