// What every transport does about certificates: what is wrong is said in words that name the setting which
// mends it, it is tried again, and what was mended is read anew.
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Destination } from '../../sidecar/otlp/destination.ts';
import { createAuthority, type Authority, type Pair } from '../fixtures/certificates.ts';
import { startMisbehavingReceiver } from '../fixtures/misbehaving-receiver.ts';
import { createTransportWorld, SECURE_KINDS, type TransportWorld } from '../fixtures/transports.ts';

const REQUEST = Buffer.from('a request');

describe.each(SECURE_KINDS)('%s', (_name, kind) => {
  let world: TransportWorld;
  let foreign: Authority;
  let client: Pair;

  beforeAll(() => {
    world = createTransportWorld();
    foreign = createAuthority(world.folder, 'foreign');
    client = world.authority.issue('client');
  });
  afterAll(() => world.end());

  const listen = async (pair: Pair, clientAuthority?: string) => {
    const tls = { ...pair, ...(clientAuthority !== undefined && { clientAuthority }) };
    return world.own(await startMisbehavingReceiver(kind.protocol, tls));
  };

  /** Returns what is said when that certificate is shown to us. */
  async function problemWith(pair: Pair, changes: Partial<Destination> = {}): Promise<string> {
    const { port } = await listen(pair);
    const answer = await world.transport(kind, port, changes).send('traces', REQUEST);
    expect(answer.kind).toBe('retry');
    return answer.kind === 'retry' ? answer.problem : '';
  }

  test('a certificate of another authority is not trusted: certificate_file is at fault', async () => {
    expect(await problemWith(foreign.issue('foreign'))).toMatch(/authority.*certificate_file/);
  });

  test('a certificate that has expired is not trusted', async () => {
    const expired = world.authority.issue('expired', { days: -1 });
    expect(await problemWith(expired)).toMatch(/has expired/);
  });

  test('a certificate for another host is not trusted: the endpoint is at fault', async () => {
    const other = world.authority.issue('other', { hosts: 'DNS:elsewhere.test' });
    expect(await problemWith(other)).toMatch(/another host: correct the endpoint/);
  });

  test('a port that speaks no TLS is said to be one', async () => {
    const { port } = await world.receiver({ ...kind, scheme: 'http' });
    const answer = await world.transport(kind, port).send('traces', REQUEST);
    expect(answer).toMatchObject({
      kind: 'misdirected',
      problem: expect.stringMatching(/speaks no TLS.*http:\/\//),
    });
  });

  test('a client certificate that is demanded and shown is enough', async () => {
    const { port } = await listen(world.pair, world.authority.certificateFile);
    const own = { clientCertificateFile: client.certificateFile, clientKeyFile: client.keyFile };
    const shown = world.transport(kind, port, own);
    expect(await shown.send('traces', REQUEST)).toMatchObject({ kind: 'acknowledged' });
  });

  test('a client certificate that is demanded and not shown is named as the setting', async () => {
    const { port } = await listen(world.pair, world.authority.certificateFile);
    const answer = await world.transport(kind, port).send('traces', REQUEST);
    expect(answer).toMatchObject({ kind: 'retry' });
    expect(answer).toMatchObject({ problem: expect.stringContaining('client_certificate_file') });
  });

  test.each([
    ['is not there', () => undefined],
    ['holds no certificate', (path: string) => writeFileSync(path, 'hello')],
  ])('authorities whose file %s are waited for', async (_what, make) => {
    const { port } = await listen(world.pair);
    const certificateFile = join(world.folder, 'late.pem');
    make(certificateFile);
    const transport = world.transport(kind, port, { certificateFile });
    const answer = await transport.send('traces', REQUEST);
    expect(answer).toMatchObject({ kind: 'retry' });
    expect(answer).toMatchObject({
      problem: expect.stringMatching(/certificate_file \S*late\.pem/),
    });
    copyFileSync(world.authority.certificateFile, certificateFile);
    expect(await transport.send('traces', REQUEST)).toMatchObject({ kind: 'acknowledged' });
    rmSync(certificateFile);
  });

  test('a client key that belongs to another certificate is said to', async () => {
    const { port } = await listen(world.pair);
    const own = {
      clientCertificateFile: client.certificateFile,
      clientKeyFile: world.pair.keyFile,
    };
    const answer = await world.transport(kind, port, own).send('traces', REQUEST);
    expect(answer).toMatchObject({ kind: 'retry' });
    expect(answer).toMatchObject({ problem: expect.stringContaining('client_key_file') });
  });
});
