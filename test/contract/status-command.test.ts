// `signet status` as a process of its own, at health listeners that are well, that are not, and that are
// none of Signet's.
import { afterEach, describe, expect, test } from '@jest/globals';
import { readAnswer } from '../../sidecar/commands/status-answer.ts';
import { statusText } from '../../sidecar/commands/status-text.ts';
import { makeFolder, readiness, startSidecar } from '../fixtures/sidecar.ts';
import { freePort } from '../fixtures/caddy.ts';
import { checksOf, listenAs, listenWell, runStatus, type Listening } from '../fixtures/status.ts';

let listening: Listening | undefined;
afterEach(async () => {
  await listening?.stop();
  listening = undefined;
});

const OK = { ok: true };
const FULL = { ok: false, problem: 'the disk is full: free some of it' };

describe('its exit code', () => {
  test('is 0 when the sidecar is ready', async () => {
    listening = await listenWell(checksOf());
    expect(await runStatus(listening.port)).toMatchObject({ code: 0, err: '' });
  });

  test('is 1 when it is degraded', async () => {
    listening = await listenWell(checksOf({ recorder: FULL }));
    expect(await runStatus(listening.port)).toMatchObject({ code: 1, err: '' });
  });

  test('is 3 when it is unready, which is no wrong option', async () => {
    listening = await listenWell(checksOf({ sessions: FULL }));
    expect(await runStatus(listening.port)).toMatchObject({ code: 3, err: '' });
  });

  test.each(['--health 9465', '--health 127.0.0.1:0', '--watch', 'more'])(
    'is 2 for %s',
    async (args) => {
      expect((await runStatus(1, ...args.split(' '))).code).toBe(2);
    },
  );
});

describe('where no terminal reads it', () => {
  test('it prints what /readyz said as one line of JSON, with the address and the traffic', async () => {
    listening = await listenWell(checksOf({ recorder: FULL }));
    const { out } = await runStatus(listening.port);
    expect(out.split('\n')).toHaveLength(2);
    expect(JSON.parse(out)).toEqual({
      status: 'degraded',
      checks: checksOf({ recorder: FULL }),
      address: `127.0.0.1:${listening.port}`,
      traffic: { requests: 3, byDecision: { allow: 2, deny: 1 }, p95Seconds: expect.any(Number) },
    });
  });

  test('what a terminal would obey is spelled out, and is still the same value', async () => {
    const problem = 'cut \u001b[2J\u202e off';
    listening = await listenWell({ sessions: OK, recorder: { ok: false, problem } });
    const { out } = await runStatus(listening.port);
    expect(out).not.toContain('\u001b');
    expect(JSON.parse(out)).toMatchObject({ checks: { recorder: { problem } } });
  });

  test('without metrics the traffic is not known, and the rest is', async () => {
    const checks = checksOf();
    listening = await listenAs((request, response) => {
      if (request.url !== '/readyz') return void response.writeHead(500).end('{}');
      response.end(JSON.stringify({ status: 'ready', checks }));
    });
    const { code, out } = await runStatus(listening.port);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ checks, traffic: null });
  });
});

test('--health asks there, and not where the configuration says', async () => {
  listening = await listenWell(checksOf());
  const { code } = await runStatus(1, '--health', `127.0.0.1:${listening.port}`);
  expect(code).toBe(0);
});

describe('ends with 69, and says where it asked and what it met', () => {
  const told = (port: number) => runStatus(port).then(({ code, err }) => ({ code, err }));

  test('when nothing listens there', async () => {
    const { port, stop } = await listenAs(() => undefined);
    await stop();
    expect(await told(port)).toEqual({
      code: 69,
      err: expect.stringMatching(
        `127.0.0.1:${port} .*: nothing listens there[^]*--health HOST:PORT`,
      ),
    });
  });

  test('when it does not answer within two seconds', async () => {
    listening = await listenAs(() => undefined);
    const err = expect.stringContaining('no answer within 2 s');
    expect(await told(listening.port)).toEqual({ code: 69, err });
  });

  test('when its answer comes so slowly that it does not end', async () => {
    listening = await listenAs((_request, response) => void response.write('{'));
    const err = expect.stringContaining('no answer within 2 s');
    expect(await told(listening.port)).toEqual({ code: 69, err });
  });

  test('when its answer does not end for size', async () => {
    listening = await listenAs((_request, response) => void response.end('x'.repeat(1_100_000)));
    const err = expect.stringContaining('longer than');
    expect(await told(listening.port)).toEqual({ code: 69, err });
  });

  test.each([
    ['another page', 'hello'],
    ['another JSON', '{"status":"ready"}'],
    ['a check that is none', '{"status":"ready","checks":{"a":1}}'],
    ['a version that is no text', '{"status":"ready","version":7,"checks":{"a":{"ok":true}}}'],
    ['a start that is no text', '{"status":"ready","started_at":[],"checks":{"a":{"ok":true}}}'],
    [
      'what nobody can print',
      `{"status":"ready","checks":{"a":{"ok":true,"x":${'['.repeat(90_000)}${']'.repeat(90_000)}}}}`,
    ],
    ['a status of its own', '{"status":"\u001b[2J","checks":{"a":{"ok":true}}}'],
  ])('when it is not Signet but %s', async (_name, body) => {
    listening = await listenAs((_request, response) => void response.end(body));
    const { code, err } = await told(listening.port);
    expect({ code, isTold: err.includes('is not Signet') }).toEqual({ code: 69, isTold: true });
  });

  test('when it hangs up on what is no HTTP of its own', async () => {
    listening = await listenAs((request) => void request.socket.end('SSH-2.0-OpenSSH\r\n'));
    const err = expect.stringContaining('does not speak HTTP');
    expect(await told(listening.port)).toEqual({ code: 69, err });
  });
});

test('the real sidecar is understood: every part of it has a line, and tells what it knows', async () => {
  const { folder, remove } = makeFolder();
  const port = await freePort();
  const sidecar = startSidecar(folder, {
    SIGNET_ISSUER: 'http://127.0.0.1:9',
    SIGNET_CLIENT_ID: 'signet',
    SIGNET_CLIENT_SECRET: 'secret',
    SIGNET_DESTINATION: 'none',
    SIGNET_SOCKET: `${folder}/sidecar.sock`,
    SIGNET_ACCESS_LOG: `${folder}/access.log`,
    SIGNET_HEALTH: `127.0.0.1:${port}`,
  });
  try {
    await readiness(port, sidecar, ({ checks }) => 'head' in (checks['recorder'] ?? {}));
    const { code, out } = await runStatus(port);
    // Its provider is not there.
    expect(code).toBe(1);
    const answer = readAnswer(out);
    if (answer === undefined) throw new Error(out);
    const screen = { width: 200, colour: false, nowMs: Date.now() };
    const text = statusText({ address: '', answer, traffic: undefined }, screen);
    const names = text.matchAll(/^ {2}(\S+) +(?:ok|FAILS)/gm);
    expect([...names].map(([, name]) => name)).toEqual(
      expect.arrayContaining([...Object.keys(answer.checks), 'store']),
    );
    expect(text).toMatch(/^Signet \S+ is degraded {3}up \d+ s, Node 24/);
    expect(text).toMatch(/gate +ok +at \S+sidecar\.sock\n/);
    expect(text).toMatch(/store +ok +\S*.*chain [0-9a-f-]{36}.*signed up to row \d+ /);
    expect(text).not.toMatch(/undefined|NaN|object/);
  } finally {
    await sidecar.stop();
    remove();
  }
});
