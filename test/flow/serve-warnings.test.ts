// What `signet serve` says of settings that hold, and may not be meant.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { makeFolder, startSidecar } from '../fixtures/sidecar.ts';
import { until } from '../fixtures/until.ts';

const { folder, remove } = makeFolder();

afterAll(remove);

test('a variable that wins over the file is told in the log', async () => {
  writeFileSync(join(folder, 'signet.yaml'), 'destinations: [{ name: otlp }]\n');
  const sidecar = startSidecar(folder, {
    SIGNET_ISSUER: 'http://127.0.0.1:9',
    SIGNET_CLIENT_ID: 'signet',
    SIGNET_CLIENT_SECRET: 'secret',
    SIGNET_SOCKET: join(folder, 'sidecar.sock'),
    SIGNET_ACCESS_LOG: join(folder, 'access.log'),
    SIGNET_HEALTH: '127.0.0.1:0',
    SIGNET_DESTINATION: 'none',
  });
  await until('the gate is open', () => sidecar.printed().includes('the gate is open'));
  await sidecar.stop();
  const lines = sidecar.printed().split('\n');
  const warning = lines.find((line) => line.includes('SIGNET_DESTINATION wins over')) ?? '{}';
  expect(JSON.parse(warning)).toMatchObject({
    level: 'warn',
    msg: expect.stringContaining('destinations in signet.yaml: nothing is sent'),
  });
});
