// What every transport does with credentials in files: they are those of the moment, whatever rotates them,
// and nobody is asked twice with those that were refused.
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import type { Transport } from '../../sidecar/otlp/transport.ts';
import { secret } from '../../sidecar/secret.ts';
import type { MisbehavingReceiver } from '../fixtures/misbehaving-receiver.ts';
import { createTransportWorld, KINDS, type TransportWorld } from '../fixtures/transports.ts';

const REQUEST = Buffer.from('a request');

describe.each(KINDS)('%s', (_name, kind) => {
  let world: TransportWorld;
  let receiver: MisbehavingReceiver;
  let path: string;

  beforeAll(async () => {
    world = createTransportWorld();
    receiver = await world.receiver(kind);
  });
  beforeEach(() => {
    receiver.calls.length = 0;
    receiver.answer(() => ({}));
    path = join(world.folder, 'token');
    rmSync(path, { force: true });
  });
  afterAll(() => world.end());

  const withToken = (): Transport =>
    world.transport(kind, receiver.port, {
      tokenFile: { header: 'authorization', prefix: 'Bearer ', path },
    });
  const shown = () => receiver.calls.map(({ headers }) => headers['authorization']);

  test('a token that was written over is the one that the next call has', async () => {
    writeFileSync(path, 'first\n');
    const transport = withToken();
    await transport.send('traces', REQUEST);
    writeFileSync(path, 'second\n');
    await transport.send('traces', REQUEST);
    expect(shown()).toEqual(['Bearer first', 'Bearer second']);
  });

  test('the file is named whose token was refused', async () => {
    writeFileSync(path, 'stale-token');
    receiver.answer(() => ({ grpc: status.UNAUTHENTICATED, http: 401 }));
    const answer = await withToken().send('traces', REQUEST);
    const problem = expect.stringMatching(`the credentials shown are those of ${path}$`);
    expect(answer).toMatchObject({ kind: 'unauthorized', problem });
  });

  test('the variable is named whose token was refused', async () => {
    receiver.answer(() => ({ grpc: status.UNAUTHENTICATED, http: 401 }));
    const headers = { authorization: secret('stale-token') };
    const credentialVariables = ['HONEYCOMB_API_KEY'];
    const transport = world.transport(kind, receiver.port, { headers, credentialVariables });
    const problem = expect.stringMatching(/those of HONEYCOMB_API_KEY$/);
    expect(await transport.send('traces', REQUEST)).toMatchObject({ problem });
  });

  test('that none were shown is said where they are wanted', async () => {
    receiver.answer(() => ({ grpc: status.UNAUTHENTICATED, http: 401 }));
    const problem = expect.stringMatching(/no credentials were shown: .*headers_file/);
    expect(await world.transport(kind, receiver.port).send('traces', REQUEST)).toMatchObject({
      problem,
    });
  });

  test('a token is changed by the swap of a link, as Kubernetes does it', async () => {
    const folder = join(world.folder, 'secret');
    for (const version of ['1', '2']) {
      mkdirSync(join(folder, version), { recursive: true });
      writeFileSync(join(folder, version, 'token'), `token-${version}`);
    }
    symlinkSync('1', join(folder, 'data'));
    path = join(folder, 'data', 'token');
    const transport = withToken();
    await transport.send('traces', REQUEST);
    symlinkSync('2', join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'data'));
    await transport.send('traces', REQUEST);
    expect(shown()).toEqual(['Bearer token-1', 'Bearer token-2']);
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['is gone', () => rmSync(path)],
    ['is empty', () => writeFileSync(path, '')],
    ['has two words', () => writeFileSync(path, 'hunter2 hunter3')],
  ])(
    'while a token file %s, the last good token is used, and that is a problem',
    async (_what, spoil) => {
      writeFileSync(path, 'good');
      const transport = withToken();
      await transport.send('traces', REQUEST);
      spoil();
      expect(await transport.send('traces', REQUEST)).toMatchObject({ kind: 'acknowledged' });
      expect(shown()).toEqual(['Bearer good', 'Bearer good']);
      expect(transport.problem()).toMatch(/token.*is used meanwhile/);
      expect(transport.problem()).not.toMatch(/hunter|good/);
      writeFileSync(path, 'better');
      await transport.send('traces', REQUEST);
      expect(transport.problem()).toBeUndefined();
    },
  );

  test('without a token that ever was, nothing is sent, and the file is named', async () => {
    const transport = withToken();
    const answer = await transport.send('traces', REQUEST);
    expect(answer).toMatchObject({ kind: 'unauthorized' });
    expect(answer).toMatchObject({ problem: expect.stringContaining(path) });
    expect(receiver.calls).toEqual([]);
    expect(transport.haveCredentialsChanged()).toBe(false);
    writeFileSync(path, 'late');
    expect(transport.haveCredentialsChanged()).toBe(true);
  });

  test('credentials that were refused have changed when their file holds others', async () => {
    writeFileSync(path, 'refused');
    receiver.answer(({ headers }) =>
      headers['authorization'] === 'Bearer refused'
        ? { grpc: status.UNAUTHENTICATED, http: 401 }
        : {},
    );
    const transport = withToken();
    expect(transport.haveCredentialsChanged()).toBe(false);
    expect(await transport.send('traces', REQUEST)).toMatchObject({ kind: 'unauthorized' });
    expect(transport.haveCredentialsChanged()).toBe(false);
    writeFileSync(path, 'refused\n');
    expect(transport.haveCredentialsChanged()).toBe(false);
    writeFileSync(path, 'another');
    expect(transport.haveCredentialsChanged()).toBe(true);
    expect(await transport.send('traces', REQUEST)).toMatchObject({ kind: 'acknowledged' });
  });

  test('headers of a file are read anew; a token wins over them, and they over those that stay', async () => {
    const headersFile = join(world.folder, 'headers');
    writeFileSync(headersFile, '# ours\nX-Team = a\nauthorization=of the file\n');
    writeFileSync(path, 'of-the-token');
    const transport = world.transport(kind, receiver.port, {
      headers: { 'x-team': secret('lasting'), 'x-site': secret('lasting') },
      headersFile,
      tokenFile: { header: 'authorization', prefix: '', path },
    });
    await transport.send('traces', REQUEST);
    writeFileSync(headersFile, 'x-team=b\n');
    await transport.send('traces', REQUEST);
    const both = { 'x-site': 'lasting', authorization: 'of-the-token' };
    expect(receiver.calls.map(({ headers }) => headers)).toMatchObject([
      { ...both, 'x-team': 'a' },
      { ...both, 'x-team': 'b' },
    ]);
  });

  test('a token for Basic goes out in base64', async () => {
    writeFileSync(path, '1234:glc_abc');
    const tokenFile = { header: 'authorization', prefix: 'Basic ', path, encoding: 'base64' };
    const transport = world.transport(kind, receiver.port, {
      tokenFile: { ...tokenFile, encoding: 'base64' },
    });
    await transport.send('traces', REQUEST);
    expect(shown()).toEqual([`Basic ${btoa('1234:glc_abc')}`]);
  });
});
