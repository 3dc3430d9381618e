// What is started together for a test is ended together, also when something does not start: a test that leaves
// something running keeps jest from ending.
import { expect, test } from '@jest/globals';
import { startEdge } from '../fixtures/edge.ts';
import { startTogether } from '../fixtures/together.ts';
import { until } from '../fixtures/until.ts';

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

/** How many processes and sockets keep this process from ending. */
const running = () =>
  process.getActiveResourcesInfo().filter((kind) => /Process|Pipe|Server/.test(kind)).length;

test('an edge of which Caddy does not start, or the sidecar, leaves nothing running', async () => {
  const before = running();
  await expect(startEdge('no_such_directive')).rejects.toThrow('Caddy ended');
  await until('all that was started is gone', () => running() === before);
  const extra = { SIGNET_TRUST: 'nobody', SIGNET_ISSUER: 'no address' };
  await expect(startEdge('respond ok', { extra })).rejects.toThrow('the sidecar ended');
  await until('all that was started is gone', () => running() === before);
});
