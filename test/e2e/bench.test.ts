// The benchmark's short form from end to end: every variant through a real Caddy, its evidence counted.
// No figure is judged here; that a broken variant fails it is.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SPANS_PER_REQUEST } from '../bench/edge-evidence.ts';
import type { EdgeReport } from '../bench/edge.ts';
import { VARIANTS } from '../bench/edge-variants.ts';

/** It starts seven Caddys, and shares its cores with other tests. */
const WITHIN_MS = 300_000;

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
type Written = EdgeReport & { readonly parts: readonly unknown[] };

const SHORT = VARIANTS.filter(({ isShort }) => isShort).map(({ name }) => name);

const folder = mkdtempSync(join(tmpdir(), 'signet-bench-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the short form', () => {
  const json = join(folder, 'short.json');
  let ended: Ended;
  let report: Written;

  beforeAll(async () => {
    ended = await run(['--short', '--json', json]);
    expect(ended).toMatchObject({ code: 0 });
    report = JSON.parse(readFileSync(json, 'utf8')) as Written;
  }, WITHIN_MS);

  test('finds no variant broken', () => {
    expect(report.faults).toEqual([]);
  });

  test('loads every variant, but for oauth2-proxy where there is none', () => {
    const skipped = report.skipped.map(({ what }) => what);
    expect(skipped.filter((name) => name !== 'O')).toEqual([]);
    const loaded = report.figures.filter(({ requests }) => requests > 0);
    // In an order of their own.
    expect(new Set(loaded.map(({ variant }) => variant))).toEqual(
      new Set(SHORT.filter((name) => !skipped.includes(name))),
    );
  });

  test('finds a row and three spans of the right user for every request that is recorded', () => {
    const counted = report.figures.flatMap(({ requests, arrived }) =>
      arrived === undefined ? [] : [{ requests, ...arrived }],
    );
    expect(counted).toHaveLength(3);
    for (const { requests, rowsOfUser, spansOfUser } of counted) {
      expect([rowsOfUser, spansOfUser]).toEqual([requests, requests * SPANS_PER_REQUEST]);
    }
  });

  test('measures latency, outage and lag, and the parts alone', () => {
    const { latency, outage, lag, parts } = report;
    expect([latency.length, outage.length]).toEqual([1, 1]);
    expect(lag?.requests).toBeGreaterThan(0);
    expect(parts).not.toEqual([]);
  });

  test('prints a line for each variant, as Markdown', () => {
    for (const { variant } of report.figures) expect(ended.stdout).toContain(`| **${variant}** |`);
  });
});

test(
  'a variant that is broken is named, fails the run, and leaves the others measured',
  async () => {
    const json = join(folder, 'broken.json');
    const args = ['--short', '--only', 'signet-on,signet-off', '--json', json];
    const { code, stderr } = await run(args, { BENCH_BREAK: 'signet-on' });
    expect(code).toBe(1);
    expect(stderr).toContain('broken: signet-on: answered 401 in place of 200');
    const { figures } = JSON.parse(readFileSync(json, 'utf8')) as Written;
    expect(figures.map(({ variant }) => variant)).toEqual(['signet-off']);
  },
  WITHIN_MS,
);

test('a name that is no variant is refused before anything starts', async () => {
  const { code, stderr } = await run(['--only', 'signet-in']);
  expect(code).toBe(2);
  expect(stderr).toContain('there is no signet-in');
});

test('a variant that asks nobody can not be broken by a wrong credential', async () => {
  const { code, stderr } = await run(['--short'], { BENCH_BREAK: 'none' });
  expect(code).toBe(2);
  expect(stderr).toContain('BENCH_BREAK is "none"');
});

test('a missing load generator is named, with how to get it', async () => {
  const { code, stderr } = await run(['--short'], { PATH: folder });
  expect(code).toBe(69);
  expect(stderr).toContain('apt-get install nghttp2-client');
});

function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [join('test', 'bench', 'bench.ts'), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...said })));
}
