// Cases 4, 6, 10 and 12 of the hostile list, searched and not only listed: whole requests, drawn from a grammar, at a site with
// a block of each kind. What Caddy's matchers saw, what the gate was asked, what the app got and what was recorded must be
// the same, by an oracle that knows nothing of how. `npm run test:fuzz-edge` goes on with it for as long as you like.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createRandom } from '../fixtures/random.ts';
import { startFuzzEdge, type Found, type FuzzEdge } from '../fuzz/edge-run.ts';
import { FUZZ_BLOCKS } from '../fuzz/edge-site.ts';
import { drawTrial, fixedTrials } from '../fuzz/request-grammar.ts';
import { shrinkTrial } from '../fuzz/shrink-request.ts';

const DRAWN = 400;
const BATCH = 100;
/** The same each time: what is new each time is the long form's. */
const seed = Number(process.env['SIGNET_TEST_SEED'] ?? 1);

let site: FuzzEdge;
beforeAll(async () => {
  site = await startFuzzEdge();
});
afterAll(async () => site?.stop());

/** The first of what is wrong, made small, and the seed it is drawn again by. */
async function shown([first]: readonly Found[]): Promise<object> {
  if (first === undefined) return {};
  const { rule, trial, detail } = first;
  const isIt = ({ found }: { found: readonly Found[] }) => found.some((one) => one.rule === rule);
  const small = await shrinkTrial(trial, async (smaller) => isIt(await site.run([smaller])));
  return { seed, rule, small: small.text, drawn: trial.text, detail };
}

test('cases 4, 6, 10 and 12: each form of a target, each lie, each odd body, at each block by each caller: decided, served and recorded are the same', async () => {
  const { found, served } = await site.run(fixedTrials());
  expect(await shown(found)).toEqual({});
  // Who may be served is: without that, a site that refuses everything would hold every rule.
  const may = FUZZ_BLOCKS.flatMap(({ name, may: callers, isProtected }) =>
    callers.map((caller) => `${name}: ${isProtected ? caller : 'nobody'}`),
  );
  expect(may.filter((one) => !served.includes(one))).toEqual([]);
});

test('cases 4, 6, 10 and 12: the same of requests drawn by chance', async () => {
  const random = createRandom(seed);
  for (let drawn = 0; drawn < DRAWN; drawn += BATCH) {
    const { found } = await site.run(Array.from({ length: BATCH }, () => drawTrial(random)));
    expect(await shown(found)).toEqual({});
  }
  expect(site.edge.sidecar().hasExited()).toBe(false);
});
