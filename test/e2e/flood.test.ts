// A flood of garbage at every entrance at once: who is signed in is served, as who they are; memory is bounded; afterwards
// all is as before. `npm run test:flood -- 180` is the long form.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startFloodEdge, type FloodEdge } from '../fixtures/flood-edge.ts';
import { ENTRANCES } from '../fixtures/flood-entrances.ts';
import {
  answerProblems,
  memoryProblems,
  recordProblems,
  standingProblems,
} from '../fixtures/flood-problems.ts';
import { floodTable, type FloodReport } from '../fixtures/flood-report.ts';
import { runFlood } from '../fixtures/flood-run.ts';
import { AGENTS } from '../fixtures/provider-configuration.ts';
import { testSeeds } from '../fixtures/random.ts';

const FLOOD_S = 10;

describe('a flood of garbage at every entrance at once', () => {
  const [seed = 0] = testSeeds(1);
  let flooded: FloodEdge | undefined;
  let report: FloodReport;
  beforeAll(async () => {
    const edge = await startFloodEdge();
    flooded = edge;
    report = await runFlood(edge, { warmUpS: 2, quietS: 3, floodS: FLOOD_S, seed });
    process.stdout.write(`seed ${seed}\n${floodTable(report)}\n`);
  }, 240_000);
  afterAll(async () => flooded?.stop());

  test('comes to each of them', () => {
    const idle = ENTRANCES.filter(({ name }) => (report.sent.get(name) ?? 0) === 0);
    expect(idle.map(({ name }) => name)).toEqual([]);
  });

  test('takes nobody’s place: whoever is signed in, by cookie, JWT or opaque token, gets the own page', () => {
    expect(answerProblems(report)).toEqual([]);
    const users = new Set(report.given.map(({ user }) => user));
    expect(users).toEqual(new Set(['alice', 'bob', 'carol', 'dave', AGENTS[0]]));
  });

  test('leaves room for those who sign in meanwhile', () => {
    expect(report.newcomers).toBeGreaterThan(0);
  });

  test('is nobody at the app, whatever it says', () => {
    expect(report.reachedApp).toBeGreaterThan(0);
    expect(report.spoofed).toEqual([]);
  });

  test('does not let memory grow without a bound, and gives it back', () => {
    expect(memoryProblems(report)).toEqual([]);
  });

  test('costs no row and no decision: each signed-in request has one, with its user; garbage lines are set aside and counted', () => {
    expect(recordProblems(report)).toEqual([]);
  });

  test('leaves the gate, readiness, open files and metrics as they were', () => {
    expect(standingProblems(report)).toEqual([]);
  });
});
