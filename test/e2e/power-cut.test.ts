// A power cut under load: the store has lost its last transactions, the log its end, in the middle of a
// line, and the machine is another one to the kernel. What can be told afterwards is told, and no more.
// SIGNET_TEST_SEED repeats where it was cut.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventRow, StoredRow } from '../../sidecar/audit/row.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { keyOf } from '../fixtures/fates.ts';
import type { NotedDecision } from '../fixtures/journal-bytes.ts';
import { cutPower, type AfterPowerCut } from '../fixtures/power-cut-run.ts';
import { publishedHeads, verifyState } from '../fixtures/proven.ts';
import { createRandom, testSeeds } from '../fixtures/random.ts';
import { readiness, type Readiness } from '../fixtures/sidecar.ts';
import { SITE } from '../fixtures/site.ts';

const [seed = 0] = testSeeds(1);

describe.each(['behind', 'in front of'] as const)(
  `seed ${seed}: the log is cut %s the place that the store had read to`,
  (side) => {
    let edge: Edge;
    let after: AfterPowerCut;
    beforeAll(async () => {
      process.stdout.write(`power cut: SIGNET_TEST_SEED=${seed} repeats this\n`);
      edge = await startEdge(SITE);
      after = await cutPower(edge, side, createRandom(seed));
    });
    afterAll(async () => edge.stop());

    test('no row is doubled or made up, and each line has its row', () => {
      expect(after.books.problems).toEqual([]);
    });

    test('what was recorded before stays as it was', () => {
      const hashes = edge.allRows().map(({ hash }) => hash);
      const { length } = after.surviving.hashes;
      expect(hashes.slice(0, length)).toEqual(after.surviving.hashes);
    });

    test('each decision without a line is a row of its own, with who and where', () => {
      const lost = lostRows(edge);
      const told = lost.map(({ details, user, route }) => ({
        number: details['first'],
        requestId: details['request'],
        decision: details['decision'],
        user,
        route,
      }));
      const noted = lost.map(({ details }) =>
        after.noted.get(keyOf(String(details['boot']), Number(details['first']))),
      );
      expect(told).toEqual(noted.map(withoutBoot));
      expect(told.length).toBeGreaterThan(0);
    });

    test('every number is accounted for', () => {
      const { issued, recorded, superseded, unanswered, lost } = after.books.fates;
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
      expect({ findings, published }).toEqual({
        findings: [],
        published: publishedHeads(edge.folder).length,
      });
    });
  },
);

function withoutBoot(noted: NotedDecision | undefined) {
  const { bootId: _, ...rest } = noted ?? { bootId: undefined };
  return rest;
}

function lostRows(edge: Edge): (StoredRow & EventRow)[] {
  return edge.allRows().filter((row): row is StoredRow & EventRow => row.kind === 'lost');
}
