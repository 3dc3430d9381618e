// A sidecar that somebody started at a terminal, and the terminal is closed: it stops in order, as by Ctrl-C.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { freePort } from '../fixtures/caddy.ts';
import { BIN, makeFolder } from '../fixtures/sidecar.ts';
import { storedRows } from '../fixtures/stored.ts';
import { until } from '../fixtures/until.ts';

test('a terminal that is closed ends the sidecar, though SIGHUP otherwise means to read settings anew', async () => {
  const { folder, remove } = makeFolder();
  const port = await freePort();
  const isAnswering = () =>
    fetch(`http://127.0.0.1:${port}/healthz`).then(
      () => true,
      () => false,
    );
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    SIGNET_STATE: folder,
    SIGNET_ISSUER: 'http://localhost:9/',
    SIGNET_CLIENT_ID: 'signet',
    SIGNET_CLIENT_SECRET: 'secret',
    SIGNET_DESTINATION: 'none',
    SIGNET_HEALTH: `127.0.0.1:${port}`,
  };
  // A terminal of its own, which ends with it.
  const command = `exec '${process.execPath}' '${BIN}' serve`;
  const terminal = spawn('script', ['-qfc', command, '/dev/null'], { env, stdio: 'ignore' });
  try {
    await until('the sidecar', isAnswering);
    await until('its first row', () => storedRows(join(folder, 'audit.db')).length > 0);
    terminal.kill('SIGKILL');
    await once(terminal, 'exit');
    await until('its end', async () => !(await isAnswering()));
    expect(await isAnswering()).toBe(false);
    // In order: what it has opened it has closed.
    await until(
      'the log beside the store to be in it',
      () => !existsSync(join(folder, 'audit.db-wal')),
    );
  } finally {
    remove();
  }
});
