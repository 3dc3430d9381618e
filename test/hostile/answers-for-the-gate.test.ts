// An answer to the gate's question that is not the gate's. Caddy before 2.11.5 can send the question to the
// app (caddyserver/caddy#7859), so the snippet must know the gate's answers, and let no other one through.
import type { RequestListener } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createTestGate, type TestGate } from '../fixtures/gate.ts';
import { until } from '../fixtures/until.ts';
import { secret } from '../../sidecar/secret.ts';
import { ALICE, CAROL_HEADERS, startSite } from '../e2e/snippet-site.ts';
import type { Site, SiteOptions } from '../e2e/snippet-site.ts';

let running: Site | undefined;
let it: TestGate | undefined;
afterEach(async () => {
  await running?.stop();
  await it?.close();
  running = it = undefined;
});

async function started(options: SiteOptions): Promise<Site> {
  running = await startSite(options);
  return running;
}

/** Everything that a gate would say of a person, and what an app would say, but no stamp. */
function answering(status: number): RequestListener {
  return (_req, res) => {
    const own = { 'X-Foreign': 'yes', 'Set-Cookie': 'foreign=1', Location: '/foreign' };
    res.writeHead(status, { ...CAROL_HEADERS, 'Server-Timing': 'foreign', ...own });
    res.end(status === 204 ? undefined : 'foreign');
  };
}

describe.each([200, 204, 299, 302, 401, 403, 404, 500, 503])('%i without a stamp', (status) => {
  test('is a 502: the app is not called, and nothing of it reaches the client', async () => {
    const site = await started({ gate: answering(status) });
    for (const path of ['/', '/public', '/admin']) {
      const answer = await site.ask(path, ALICE);
      expect(answer.status).toBe(502);
      expect(answer.head + answer.body).not.toMatch(/foreign/i);
      expect(answer.values('x-request-id')).toHaveLength(1);
    }
    expect(site.app.seen).toEqual([]);
  });
});

test('a 2xx of few headers without a stamp is a 502, also where anyone may go', async () => {
  const site = await started({ gate: (_req, res) => res.end('the app’s own page') });
  const answer = await site.ask('/public');
  expect([answer.status, answer.body]).toEqual([502, '']);
  expect(site.app.seen).toEqual([]);
});

test('its line has no stamp, so the record says that no gate decided', async () => {
  const site = await started({ gate: answering(200) });
  await site.ask('/', ALICE);
  await until('a line', async () => (await site.log()).length > 0);
  const [line] = await site.log();
  expect(line).toMatchObject({ status: 502, route: 'orders', user_id: '' });
  expect(line?.stamp).toBeUndefined();
  expect(line?.proxied_ms).toBeUndefined();
});

describe('what the sidecar says without a stamp reaches the client, but not its mark', () => {
  async function asked(gate: RequestListener) {
    const site = await started({ gate });
    const answer = await site.ask('/', ALICE);
    expect(site.app.seen).toEqual([]);
    expect(answer.head).not.toMatch(/signet/i);
    return answer;
  }

  test('that it wants the key', async () => {
    it = createTestGate({ sharedKey: secret('k'.repeat(32)) });
    const { status, body } = await asked(it.app);
    expect([status, JSON.parse(body)]).toMatchObject([403, { title: 'Not for you' }]);
  });

  test('that a header of Caddy’s is missing', async () => {
    const { app } = (it = createTestGate());
    const { status, body } = await asked((req, res) => {
      delete req.headers['x-forwarded-for'];
      app(req, res);
    });
    expect([status, JSON.parse(body)]).toMatchObject([400, { title: 'Not asked by Caddy' }]);
  });

  test('that it failed', async () => {
    const note = () => {
      throw new Error('out of order');
    };
    it = createTestGate({ journal: { note } });
    const { status, body } = await asked(it.app);
    expect([status, JSON.parse(body)]).toMatchObject([503, { status: 503 }]);
  });
});

test('connections to the gate are kept, and with SIGNET_GATE_KEEPALIVE=off each question has its own', async () => {
  const kept = await started({});
  for (let n = 0; n < 3; n++) await kept.ask('/', ALICE);
  expect(kept.gateConnections()).toBe(1);
  await kept.stop();
  const single = await started({ env: { SIGNET_GATE_KEEPALIVE: 'off' } });
  for (let n = 0; n < 3; n++) await single.ask('/', ALICE);
  expect(single.gateConnections()).toBe(3);
});
