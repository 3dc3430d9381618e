// Each way of fetching Caddy, for real: npm run test:fetch. The stand-in for the releases' server is on this
// machine; the real one, Go and apt use the network. A way that can't work here must say so, and soon.
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fetchByApt } from '../../caddy/fetch-apt.ts';
import { fetchByGo } from '../../caddy/fetch-go.ts';
import { createReleaseWay } from '../../caddy/fetch-release.ts';
import type { FetchWay } from '../../caddy/fetch-way.ts';
import { fetchCaddy } from '../../caddy/fetch.ts';
import { findCaddy } from '../../caddy/find.ts';
import { releaseFiles } from '../../caddy/release.ts';
import { CADDY_FETCHED } from '../../sidecar/edge/version.ts';
import { explain } from '../../sidecar/fault.ts';
import { createAuthority } from '../fixtures/certificates.ts';
import { checksumLine, packedBySystem } from '../fixtures/release-archive.ts';
import { startReleaseServer } from '../fixtures/release-server.ts';

/** Within which a way that can't work must have said so: Go's own patience with a silent network, and some. */
const SAYS_NO_WITHIN_MS = 35_000;
const MACHINE = { platform: 'linux', arch: 'x64', endianness: 'LE' } as const;

const { values, positionals } = parseArgs({
  options: { must: { type: 'string', default: 'stand-in' } },
  allowPositionals: true,
});
const must = values.must.split(',');
const folder = await mkdtemp(join(tmpdir(), 'signet-each-way-'));
let isFine = true;
try {
  const standIn = await startStandIn();
  const ways: Record<string, FetchWay> = {
    'stand-in': standIn.way,
    release: createReleaseWay(),
    go: fetchByGo,
    apt: fetchByApt,
  };
  for (const [name, way] of Object.entries(ways)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    isFine = (await tryWay(name, way)) && isFine;
  }
  await standIn.stop();
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = isFine ? 0 : 1;

/** Says what came of it; false when that may not be. */
async function tryWay(name: string, way: FetchWay): Promise<boolean> {
  const cacheDir = await mkdtemp(join(folder, `${name}-`));
  const began = performance.now();
  const outcome = await fetchCaddy(cacheDir, [way], { env: process.env, say: console.log }).then(
    ({ version }) => ({ version }),
    (error: unknown) => ({ problem: explain(error).split('\n')[1] ?? '' }),
  );
  const tookMs = performance.now() - began;
  const left = await readdir(cacheDir);
  const inWords = `${(tookMs / 1000).toFixed(1)} s`;
  if ('version' in outcome) {
    console.log(`${name}: Caddy ${outcome.version} after ${inWords}\n`);
    return left.join() === 'caddy';
  }
  console.log(`${name}: none, after ${inWords}${must.includes(name) ? ', but it must' : ''}\n`);
  return left.length === 0 && !must.includes(name) && tookMs < SAYS_NO_WITHIN_MS;
}

async function startStandIn() {
  const authority = createAuthority(folder, 'stand-in');
  const server = await startReleaseServer(authority.issue('server'));
  const { path } = await findCaddy({ env: process.env, say: console.log });
  const names = releaseFiles(CADDY_FETCHED, MACHINE);
  const archive = packedBySystem(path);
  server.files.set(names.archive, archive);
  server.files.set(names.checksums, Buffer.from(checksumLine(archive, names.archive)));
  const ca = readFileSync(authority.certificateFile, 'utf8');
  const way = createReleaseWay({ releases: server.releases, machine: MACHINE, ca });
  return { way, stop: () => server.stop() };
}
