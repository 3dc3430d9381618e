// A recorder's thread that hangs in a call of the system, as on a network's disk that is gone: here in opening a
// pipe that nobody writes to.
import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { freePort } from '../fixtures/caddy.ts';
import { makeFolder, readiness, startSidecar } from '../fixtures/sidecar.ts';
import { until } from '../fixtures/until.ts';

test('SIGTERM ends the sidecar all the same, after all that could be closed was', async () => {
  const { folder, remove } = makeFolder();
  const healthPort = await freePort();
  const headsFile = join(folder, 'heads.jsonl');
  expect(spawnSync('mkfifo', [headsFile]).status).toBe(0);
  const sidecar = startSidecar(folder, {
    SIGNET_ISSUER: 'http://127.0.0.1:9',
    SIGNET_CLIENT_ID: 'signet',
    SIGNET_CLIENT_SECRET: 'secret',
    SIGNET_DESTINATION: 'none',
    SIGNET_SOCKET: `${folder}/sidecar.sock`,
    SIGNET_ACCESS_LOG: `${folder}/access.log`,
    SIGNET_HEALTH: `127.0.0.1:${healthPort}`,
  });
  try {
    await readiness(healthPort, sidecar);
    // By a signal, and not by a code: its thread could not be ended.
    const ended = sidecar.stop();
    await until('its end', sidecar.hasExited, 20_000);
    expect(await ended).toBeNull();
    expect(sidecar.printed()).toContain('"stopped"');
  } finally {
    // Were it there still, its thread would get on now.
    const pipe = openSync(headsFile, constants.O_RDWR);
    await sidecar.exited;
    closeSync(pipe);
    remove();
  }
});
