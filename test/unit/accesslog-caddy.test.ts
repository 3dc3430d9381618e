// A real Caddy that rolls and compresses while its log is followed: what it does at which moment is
// Caddy's own. Its smallest file is 1 MiB.
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { createFollower, type Checkpoint, type Follower } from '../../sidecar/accesslog/follow.ts';
import { freePort, startCaddy } from '../fixtures/caddy.ts';
import { until } from '../fixtures/until.ts';

const REQUESTS = 2400;
const AT_ONCE = 16;
const PATH_CHARS = 2000; // the line holds it: some 2,400 bytes, three files and a half of 1 MiB

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

/** Starts a Caddy with a log that compresses; returns its port and the log's folder and path. */
async function startLoggingCaddy(compression: string) {
  const folder = await mkdtemp(join(tmpdir(), 'signet-packed-'));
  cleanUps.push(() => rm(folder, { recursive: true }));
  const [port, path] = [await freePort(), join(folder, 'access.log')];
  const log = `output file ${path} {\n roll_size 1MiB\n roll_keep 20\n roll_compression ${compression}\n}`;
  const caddy = await startCaddy({
    caddyfile: `http://localhost:${port} {\n log {\n ${log}\n }\n respond ok\n}`,
  });
  cleanUps.push(() => caddy.stop());
  return { port, folder, path };
}

async function load(port: number, from: number, to: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  cleanUps.push(() => agent.destroy());
  const ask = (number: number) =>
    new Promise((resolve, reject) => {
      const path = `/${number}/${'x'.repeat(PATH_CHARS)}`;
      get({ port, host: 'localhost', path, agent }, (response) => {
        response.resume().on('end', resolve);
      }).on('error', reject);
    });
  for (let first = from; first < to; first += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => ask(first + index)));
  }
}

/** Reads a batch; returns the numbers of its requests. */
function readNumbers(log: Follower, keep: (checkpoint: Checkpoint) => void): string[] | undefined {
  const batch = log.next();
  if (batch === undefined) return undefined;
  expect(batch).toMatchObject({ setAside: [] });
  expect(batch).not.toHaveProperty('gap');
  keep(batch.checkpoint);
  const uri = ({ bytes }: { bytes: Buffer }) =>
    (JSON.parse(bytes.toString()) as { request: { uri: string } }).request.uri;
  return batch.lines.map(uri).map((path) => path.split('/')[1] ?? '');
}

const ALL = Array.from({ length: REQUESTS }, (_, number) => String(number)).toSorted();

test.each([
  ['gzip', '.gz'],
  ['zstd', '.zst'],
])(
  'while Caddy compresses with %s each line is read once, by a slow reader and through restarts',
  async (compression, suffix) => {
    const { port, folder, path } = await startLoggingCaddy(compression);
    const numbers: string[] = [];
    let checkpoint: Checkpoint | undefined;
    let log = createFollower({ path, maxBatchLines: 50 });
    cleanUps.push(() => log.close());
    const readBatch = () => readNumbers(log, (place) => (checkpoint = place));
    await load(port, 0, REQUESTS / 2);
    const loaded = load(port, REQUESTS / 2, REQUESTS);
    let batches = 0;
    await until(
      'every line',
      () => {
        const read = readBatch();
        expect(log.problem() ?? '').not.toMatch(/can't be/);
        if (read === undefined) return numbers.length >= REQUESTS;
        numbers.push(...read);
        if (++batches % 7 === 0) {
          log.close();
          log = createFollower({ path, maxBatchLines: 50, checkpoint });
        }
        return false;
      },
      25_000,
    );
    await loaded;
    expect(numbers.toSorted()).toEqual(ALL);
    expect(readdirSync(folder).filter((name) => name.endsWith(suffix)).length).toBeGreaterThan(2);
  },
);
