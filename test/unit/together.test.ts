// What is started together for a test is ended together, also when something does not start: a test that leaves
// something running keeps jest from ending.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { startTogether } from '../fixtures/together.ts';

const run = promisify(execFile);

test('what was started is ended in reverse order when something fails, and that is thrown', async () => {
  const ended: string[] = [];
  const starting = startTogether(async ({ endBy }) => {
    for (const name of ['folder', 'provider', 'sidecar']) endBy(() => ended.push(name));
    throw new Error('not ready in time');
  });
  await expect(starting).rejects.toThrow('not ready in time');
  expect(ended).toEqual(['sidecar', 'provider', 'folder']);
});

test('one that can’t be ended keeps none of the others running, and is told', async () => {
  const ended: string[] = [];
  const { end } = await startTogether(async (started) => {
    started.endBy(() => ended.push('folder'));
    started.endBy(() => Promise.reject(new Error('stuck')));
    return started;
  });
  await expect(end()).rejects.toThrow('stuck');
  expect(ended).toEqual(['folder']);
});

test('nothing is ended twice', async () => {
  let times = 0;
  const { end } = await startTogether(async (started) => {
    started.endBy(() => (times += 1));
    return started;
  });
  await end();
  await end();
  expect(times).toBe(1);
});

/**
 * Runs a module in a process of its own, and resolves to what it wrote when it has ended by itself. What this process
 * holds says nothing: other suites of the same worker leave things that go while one looks.
 */
const ranOut = async (lines: string) =>
  run(process.execPath, ['--input-type=module', '--eval', lines], { timeout: 60_000 });

test('an edge of which Caddy does not start, or the sidecar, leaves nothing that keeps its process', async () => {
  const { stdout } = await ranOut(`
    import { startEdge } from ${JSON.stringify(new URL('../fixtures/edge.ts', import.meta.url).href)};
    const why = async (site, options) => {
      try {
        await startEdge(site, options);
        console.log('it started');
      } catch (error) {
        console.log(error.message.split('\\n')[0]);
      }
    };
    await why('no_such_directive');
    await why('respond ok', { extra: { SIGNET_TRUST: 'nobody', SIGNET_ISSUER: 'no address' } });
  `);
  expect(stdout.split('\n')).toEqual([
    expect.stringContaining('Caddy ended'),
    expect.stringContaining('the sidecar ended'),
    '',
  ]);
});
