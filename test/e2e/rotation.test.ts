// Credentials that rotate under load, at a destination that takes the current token alone: nothing is
// lost, nothing comes twice, and what is wrong meanwhile has a name. In plain text and over
// TLS; a real Caddy, the real sidecar.
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spanLines } from '../../deploy/local/span-line.ts';
import type { Protocol } from '../../sidecar/otlp/destination.ts';
import { spanIdsOf } from '../../sidecar/trace/ids.ts';
import { createAuthority } from '../fixtures/certificates.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import {
  startMisbehavingReceiver,
  type MisbehavingReceiver,
} from '../fixtures/misbehaving-receiver.ts';
import { makeFolder, readiness } from '../fixtures/sidecar.ts';
import { SITE } from '../fixtures/site.ts';
import { startSteadyLoad } from '../fixtures/steady-load.ts';
import { decodeRequest } from '../fixtures/trace-service.ts';
import { until } from '../fixtures/until.ts';

const REQUESTS_PER_SECOND = 150;
/** Requests between two rotations. */
const BETWEEN = 150;
const UNAUTHENTICATED = { grpc: 16, http: 401 };
const HEADER = 'x-honeycomb-team';

/** The file may be rewritten, replaced, or stand behind a link, as Kubernetes has it. */
const CHANGES: Readonly<Record<string, (path: string, token: string) => void>> = {
  rewritten: (path, token) => writeFileSync(path, `${token}\n`),
  replaced: (path, token) => {
    writeFileSync(`${path}.new`, token);
    renameSync(`${path}.new`, path);
  },
  linked: (path, token) => {
    writeFileSync(`${path}.${token}`, token);
    rmSync(`${path}.link`, { force: true });
    symlinkSync(`${path}.${token}`, `${path}.link`);
    renameSync(`${path}.link`, path);
  },
};

describe.each<[Protocol, 'http' | 'https']>([
  ['grpc', 'http'],
  ['grpc', 'https'],
  ['http/protobuf', 'http'],
  ['http/protobuf', 'https'],
])('over %s by %s', (protocol, scheme) => {
  /** Ids of the spans that were acknowledged, in the order in which they came. */
  const acknowledged: string[] = [];
  const refusedWith = new Set<unknown>();
  let current = 'token-0';
  let remove = () => {};
  let tokenFile: string;
  let receiver: MisbehavingReceiver;
  let edge: Edge;

  beforeAll(async () => {
    const made = makeFolder();
    const { folder } = made;
    ({ remove } = made);
    tokenFile = join(folder, 'token');
    const authority = scheme === 'https' ? createAuthority(folder, 'test') : undefined;
    receiver = await startMisbehavingReceiver(protocol, authority?.issue('receiver'));
    receiver.answer(({ headers, body, signal }) => {
      if (headers[HEADER] !== current) {
        refusedWith.add(headers[HEADER]);
        return UNAUTHENTICATED;
      }
      const spans = signal === 'traces' ? spanLines(decodeRequest(body)) : [];
      acknowledged.push(...spans.map(({ spanId }) => spanId));
      return {};
    });
    writeFileSync(tokenFile, current);
    const endpoint = `${scheme}://127.0.0.1:${receiver.port}`;
    const file = join(folder, 'signet.yaml');
    const destination = {
      name: 'rotating',
      profile: 'honeycomb',
      protocol,
      endpoint,
      token_file: tokenFile,
      ...(authority && { certificate_file: authority.certificateFile }),
    };
    writeFileSync(file, JSON.stringify({ destinations: [destination] }));
    const extra = { SIGNET_CONFIG: file, SIGNET_DESTINATION: '', LIGHTSTEP_ACCESS_TOKEN: '' };
    edge = await startEdge(SITE, { extra });
  });
  afterAll(async () => {
    await edge?.stop();
    await receiver?.stop();
    remove();
  });

  /** How the destination stands, by `/readyz`, once `isSo` holds for it. */
  async function standing(isSo: (check: Standing) => boolean): Promise<Standing> {
    const checkIn = (checks: object) => Object(checks)['destination rotating'] as Standing;
    const { checks } = await readiness(edge.healthPort, edge.sidecar(), (body) =>
      isSo(checkIn(body.checks)),
    );
    return checkIn(checks);
  }

  test('three tokens on, under load: every span has come, and none twice', async () => {
    const cookie = (await edge.signIn('alice')).replace(/^Cookie: /, '');
    const load = startSteadyLoad(
      edge.port,
      { path: '/orders/list', headers: { cookie } },
      REQUESTS_PER_SECOND,
    );
    try {
      for (const [at, change] of Object.values(CHANGES).entries()) {
        const before = load.timed.length;
        await until('load', () => load.timed.length > before + BETWEEN);
        // At once there and here would be luck: it is refused for a while.
        current = `token-${at + 1}`;
        const refused = receiver.calls.length;
        await until('a refusal', () => receiver.calls.length > refused);
        change(tokenFile, current);
      }
      const before = load.timed.length;
      await until('load', () => load.timed.length > before + BETWEEN);
    } finally {
      await load.stop();
    }
    expect(load.timed.filter(({ status }) => status !== 200)).toEqual([]);

    await until('the rows', () => edge.rows().length === edge.logLines().length);
    const wanted = edge.rows().flatMap(({ requestId, gate, upstream }) => {
      const ids = spanIdsOf(requestId);
      return [ids.ingress, ...(gate ? [ids.gate] : []), ...(upstream ? [ids.upstream] : [])];
    });
    const missing = () => {
      const seen = new Set(acknowledged);
      return wanted.filter((id) => !seen.has(id));
    };
    await until('all spans', () => missing().length === 0, 30_000);
    expect(wanted.length).toBeGreaterThan(3 * 4 * BETWEEN);
    expect(acknowledged.length - new Set(acknowledged).size).toBe(0);
    // It was refused, and with nothing but tokens that had been right.
    expect(refusedWith).toEqual(new Set(['token-0', 'token-1', 'token-2']));
  });

  test('a refused token is a state by its name, until the file has another', async () => {
    await standing(({ ok }) => ok);
    current = 'token-of-tomorrow';
    const { requestId } = await edge.send('/public/a');
    const refused = await standing(({ ok }) => !ok);
    expect(refused).toMatchObject({ status: 'unauthorized' });
    expect(JSON.stringify(refused)).not.toContain('token-3');
    CHANGES['replaced']?.(tokenFile, current);
    await until('the span', () => acknowledged.includes(spanIdsOf(requestId).ingress));
    expect(await standing(({ ok }) => ok)).toMatchObject({ status: 'delivering' });
  });

  test('no token is in the log', () => {
    expect(edge.sidecar().printed()).not.toMatch(/token-(\d|of)/);
  });
});

type Standing = { readonly ok: boolean; readonly status?: string };
