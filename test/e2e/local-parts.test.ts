// The local stack's own parts, each as the process that it is: the receiver in Lightstep's place, and
// the OpenID provider.
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBrowser } from '../../deploy/local/browser.ts';
import { createClient, type Answer } from '../../deploy/local/client.ts';
import { createTransport } from '../../sidecar/otlp/connect.ts';
import { createSpanEncoder } from '../../sidecar/otlp/encode-spans.ts';
import { secret } from '../../sidecar/secret.ts';
import type { Span } from '../../sidecar/trace/span.ts';

const TOKEN = 'the-right-token';
/** RFC 7636, appendix B. */
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const folder = mkdtempSync(join(tmpdir(), 'signet-parts-'));
const spansFile = join(folder, 'spans.jsonl');
const started: ChildProcess[] = [];

const SPAN: Span = {
  traceId: '4d0320747bbc4e5d964fa0f15a34b6f6',
  spanId: '964fa0f15a34b6f6',
  parentSpanId: '4d0320747bbc4e5d',
  link: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' },
  name: 'GET',
  kind: 'CLIENT',
  startUs: 1_795_175_548_878_001,
  endUs: 1_795_175_548_879_002,
  attributes: { 'user.id': 'alice', 'server.port': 443, 'user.roles': ['engineer', 'oncall'] },
  isError: true,
};

afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  rmSync(spansFile, { force: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the receiver writes what it got: hex ids, decimal nanoseconds, plain attributes', async () => {
  expect(await sendSpan(TOKEN)).toMatchObject({ kind: 'acknowledged' });
  const lines = readFileSync(spansFile, 'utf8').trim().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      traceId: SPAN.traceId,
      spanId: SPAN.spanId,
      parentSpanId: SPAN.parentSpanId,
      name: 'GET',
      kind: 'CLIENT',
      startTimeUnixNano: '1795175548878001000',
      endTimeUnixNano: '1795175548879002000',
      attributes: SPAN.attributes,
      resource: { 'service.name': 'caddy' },
      status: { code: 2, message: '' },
      links: [{ ...SPAN.link, attributes: {} }],
      scope: 'signet',
    },
  ]);
});

test('the receiver refuses a wrong token and writes nothing', async () => {
  expect(await sendSpan('another-token')).toMatchObject({ kind: 'unauthorized' });
  expect(() => readFileSync(spansFile)).toThrow('ENOENT');
});

test('the provider refuses people that it does not know, with a message on the page', async () => {
  const { browser, authorize } = await startProvider();
  const answer = await browser.signIn('mallory', authorize);
  expect(answer.status).toBe(403);
  expect(answer.body).toContain('Nobody here is called &ldquo;mallory&rdquo;');
});

test('the provider escapes what was typed as a login', async () => {
  const { browser, authorize } = await startProvider();
  const answer = await browser.signIn('<script>alert(1)</script>', authorize);
  expect(answer.body).not.toContain('<script>alert');
});

test('the provider sends people that it knows back with a code, and asks for no consent', async () => {
  const { browser, authorize } = await startProvider();
  await expect(browser.signIn('alice', authorize)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('prompt=login asks again, so that one can sign in as someone else', async () => {
  const { browser, authorize, seen } = await startProvider();
  await browser.signIn('alice', authorize).catch(() => {});
  const again = `${authorize}&prompt=login`;
  await browser.signIn('bob', again).catch(() => {});
  const callbacks = seen.filter(({ headers }) => headers.location?.includes('code=') === true);
  expect(callbacks).toHaveLength(2);
});

test('whoever signs in gives Signet a refresh token, too', async () => {
  const { browser, client, origin, authorize, seen } = await startProvider();
  await browser.signIn('alice', authorize).catch(() => {});
  const back = seen.find(({ headers }) => headers.location?.includes('code=') === true);
  const code = new URL(back?.headers.location ?? '').searchParams.get('code') ?? '';
  const { body } = await client.ask({
    url: `${origin}/token`,
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa('signet:secret')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({
      ...{ grant_type: 'authorization_code', code, code_verifier: VERIFIER },
      redirect_uri: 'https://localhost:1/.signet/callback',
    }).toString(),
  });
  expect(JSON.parse(body)).toMatchObject({ refresh_token: expect.any(String) });
});

test('the agent gets a JWT for the audience, with its team and user type', async () => {
  const { client, origin } = await startProvider();
  const answer = await client.ask({
    url: `${origin}/token`,
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa('deploy-agent:deploy-agent')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  const { access_token: token } = JSON.parse(answer.body) as { access_token: string };
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  expect(JSON.parse(payload)).toMatchObject({
    iss: origin,
    aud: 'https://orders.example',
    preferred_username: 'deploy-agent',
    team: 'platform',
    user_type: 'agent',
  });
});

async function sendSpan(token: string): Promise<{ kind: string }> {
  const port = await startPart('receiver.ts', { RECEIVER_TOKEN: TOKEN, RECEIVER_SPANS: spansFile });
  const transport = createTransport(
    {
      name: 'lightstep',
      protocol: 'grpc',
      endpoint: `http://127.0.0.1:${port}`,
      headers: { 'lightstep-access-token': secret(token) },
      compression: 'none',
      signals: ['traces'],
    },
    { version: '0.0.0' },
  );
  const encode = createSpanEncoder({ 'service.name': 'caddy' }, '0.0.0');
  try {
    return await transport.send('traces', encode([SPAN]));
  } finally {
    transport.close();
  }
}

// Nothing listens at the app: a sign-in that succeeds ends in a refused connection.
async function startProvider() {
  const port = await startPart('provider.ts', {
    PROVIDER_PORT: '0',
    PROVIDER_APP: 'https://localhost:1',
    PROVIDER_CLIENT_SECRET: 'secret',
  });
  const origin = `http://localhost:${port}`;
  const seen: Answer[] = [];
  const client = createClient('');
  const browser = createBrowser(client, origin, (_, answer) => seen.push(answer));
  const query = new URLSearchParams({
    client_id: 'signet',
    response_type: 'code',
    redirect_uri: 'https://localhost:1/.signet/callback',
    scope: 'openid profile email',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  });
  return { origin, client, browser, seen, authorize: `/auth?${query.toString()}` };
}

async function startPart(file: string, env: Record<string, string>): Promise<number> {
  const part = join('deploy', 'local', file);
  const child = fork(part, { env: { ...process.env, ...env }, silent: true });
  started.push(child);
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return message.port;
}
