// Speaking to a provider: bounded in time and size, never redirected, tried until it answers.
// Hostile case 31.
import type { Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createBoundedFetch, isAllowedUrl } from '../../sidecar/identity/bounded-fetch.ts';
import { DEFAULT_CLAIM_NAMES } from '../../sidecar/identity/claims.ts';
import { createProvider } from '../../sidecar/identity/provider.ts';
import { secret } from '../../sidecar/secret.ts';
import { startMisbehavingProvider } from '../fixtures/misbehaving-provider.ts';
import { until } from '../fixtures/until.ts';

describe('the bounded fetch', () => {
  let server: Server;
  let url: string;
  let answer: (response: ServerResponse) => void;
  const paths: (string | undefined)[] = [];
  beforeEach(async () => {
    paths.length = 0;
    server = createServer((request, response) => {
      paths.push(request.url);
      answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    url = `http://localhost:${(server.address() as AddressInfo).port}/`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const fault = expect.objectContaining({ code: 'ERR_PROVIDER' });

  test('gives the answer as it is', async () => {
    answer = (response) => void response.writeHead(201, { 'x-a': 'b' }).end('whole');
    const response = await createBoundedFetch()(url);
    expect([response.status, response.headers.get('x-a'), await response.text()]).toEqual([
      201,
      'b',
      'whole',
    ]);
  });

  test('gives an answer without a body', async () => {
    answer = (response) => void response.writeHead(204).end();
    expect((await createBoundedFetch()(url)).status).toBe(204);
  });

  test('follows no redirect', async () => {
    answer = (response) => void response.writeHead(302, { location: '/elsewhere' }).end();
    const response = await createBoundedFetch()(url, { redirect: 'follow' });
    expect([response.status, paths]).toEqual([302, ['/']]);
  });

  test('ends a body that is too large, announced or not', async () => {
    answer = (response) => void response.end('x'.repeat(1_001));
    await expect(createBoundedFetch(fetch, { maxBytes: 1_000 })(url)).rejects.toEqual(fault);
    await expect(createBoundedFetch(fetch, { maxBytes: 1_001 })(url)).resolves.toBeDefined();
  });

  test('ends a body that comes byte by byte: the time runs to its last one', async () => {
    answer = (response) => {
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    };
    await expect(createBoundedFetch(fetch, { timeoutMs: 200 })(url)).rejects.toEqual(fault);
  });

  test('ends a wait for an answer that does not come', async () => {
    answer = () => undefined;
    await expect(createBoundedFetch(fetch, { timeoutMs: 100 })(url)).rejects.toEqual(fault);
  });

  test('turns a refused connection into a fault', async () => {
    await expect(createBoundedFetch()('http://localhost:1/')).rejects.toEqual(fault);
  });

  test.each([
    'http://192.0.2.1/',
    'http://localhost.evil/',
    'ftp://localhost/',
    'file:///etc',
    'x',
  ])('does not ask %s at all', async (address) => {
    const asked: string[] = [];
    const inner = async (to: string) => {
      asked.push(to);
      return new Response();
    };
    await expect(createBoundedFetch(inner)(address)).rejects.toEqual(fault);
    expect(asked).toEqual([]);
  });

  test('https is allowed anywhere, http on this machine only', () => {
    const allowed = (text: string) => isAllowedUrl(new URL(text));
    expect(['https://id.example', 'http://127.0.0.1:1', 'http://[::1]'].every(allowed)).toBe(true);
    expect(allowed('http://id.example')).toBe(false);
  });
});

describe('the provider', () => {
  const options = {
    name: 'main',
    clientId: 'signet',
    clientSecret: secret('s'),
    scopes: ['profile', 'openid'],
    names: DEFAULT_CLAIM_NAMES,
  };

  test('is tried until it answers, and says meanwhile what is wrong', async () => {
    const wire = await startMisbehavingProvider({ metadata: { issuer: 'https://evil.example' } });
    const provider = createProvider({ ...options, issuer: wire.issuer });
    await until('the problem', () => provider.state().problem?.includes('issuer') === true);
    expect(() => provider.config()).toThrow(expect.objectContaining({ code: 'ERR_PROVIDER' }));
    wire.misbehave({});
    await until('discovery', () => provider.state().ready);
    expect(provider.config().serverMetadata().issuer).toBe(wire.issuer);
    expect(provider.scope).toBe('openid profile');
    provider.close();
    await wire.stop();
  });

  test('written with a slash that it does not write itself is refused, saying how to write it', async () => {
    const wire = await startMisbehavingProvider();
    const provider = createProvider({ ...options, issuer: `${wire.issuer}/` });
    await until('the problem', () => provider.state().problem?.includes('exactly') === true);
    expect(provider.state().problem).toContain(wire.issuer);
    provider.close();
    await wire.stop();
  });

  test('on plain HTTP elsewhere is never asked', async () => {
    const provider = createProvider({ ...options, issuer: 'http://192.0.2.1' });
    await until('the problem', () => provider.state().problem?.includes('https') === true);
    provider.close();
  });
});
