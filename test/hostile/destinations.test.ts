// Case 45 of the hostile list, through a real Caddy: destinations that are down, slow, refuse the token, or keep a
// part of what they acknowledge. Nobody's request waits for them, /readyz says which is wrong, and nothing is lost.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '../fixtures/caddy.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import {
  startMisbehavingReceiver,
  type MisbehavingReceiver,
} from '../fixtures/misbehaving-receiver.ts';
import { makeFolder, readiness } from '../fixtures/sidecar.ts';
import { SITE } from '../fixtures/site.ts';
import { takingsOf, type Takings } from '../fixtures/takings.ts';
import { encodeResponse } from '../fixtures/trace-service.ts';
import { until } from '../fixtures/until.ts';

const REQUESTS = 100;
/** A median may be so many times as long, or so much longer: noise is neither. */
const LONGER_AT_MOST = 3;
const LONGER_BY_US = 500;
const NAMES = ['down', 'slow', 'refusing', 'partial'] as const;
type Name = (typeof NAMES)[number];

const { folder, remove } = makeFolder();
const receivers = new Map<Name, MisbehavingReceiver>();
/** Of a destination that was down, of both its lives. */
const takings = new Map<Name, Takings[]>();
let port: number;
let edge: Edge;
let alice: string;

beforeAll(async () => {
  port = await freePort();
  for (const name of NAMES) await start(name);
  replaceToken('good');
  const entries = NAMES.map(
    (name) =>
      `  - { name: ${name}, endpoint: 'http://127.0.0.1:${receivers.get(name)?.port}', headers_file: ${join(folder, 'token')} }`,
  );
  edge = await startEdge(SITE, {
    settings: `destinations:\n${entries.join('\n')}\n`,
    extra: { SIGNET_DESTINATION: '' },
  });
  alice = await edge.signIn('alice');
});
afterAll(async () => {
  await edge?.stop();
  await Promise.all([...receivers.values()].map((one) => one.stop()));
  remove();
});

async function start(name: Name): Promise<void> {
  const receiver = await startMisbehavingReceiver('grpc', undefined, name === 'down' ? port : 0);
  receivers.set(name, receiver);
  takings.set(name, [takingsOf(receiver), ...(takings.get(name) ?? [])]);
}

function replaceToken(token: string): void {
  writeFileSync(join(folder, 'token.new'), `authorization=Bearer ${token}\n`);
  renameSync(join(folder, 'token.new'), join(folder, 'token'));
}

const ids: string[] = [];

/** Returns how long the gate took for each of some requests, in the middle, as the rows say. */
async function load(): Promise<number> {
  const sent: string[] = [];
  for (let n = 0; n < REQUESTS; n++) {
    const reply = await edge.send('/orders', [alice]);
    expect(reply.status).toBe(200);
    sent.push(reply.requestId);
  }
  await edge.row(sent.at(-1) ?? '');
  ids.push(...sent);
  const rows = edge.rows().filter(({ requestId }) => sent.includes(requestId));
  const gateUs = rows.map(({ gate }) => gate?.durationUs ?? NaN).toSorted((a, b) => a - b);
  return gateUs[REQUESTS / 2] ?? NaN;
}

/** Those of our requests whose spans did not come, or came twice. */
function missing(name: Name): string[] {
  const traces = (takings.get(name) ?? []).flatMap((each) => each.traces());
  const times = (id: string) => traces.filter((trace) => trace === id.replaceAll('-', '')).length;
  return ids.filter((id) => times(id) !== 1);
}

async function allHaveAll(): Promise<void> {
  for (const name of NAMES) {
    await until(`everything at ${name}`, () => missing(name).length === 0);
  }
}

type Standing = { ok: boolean; problem?: string };
const standings = async (isSo: (of: (name: Name) => Standing | undefined) => boolean) =>
  readiness(edge.healthPort, edge.sidecar(), ({ checks }) =>
    isSo((name) => checks[`destination ${name}`]),
  );

test('case 45: destinations that are down, slow, refuse the token or keep a part: requests go on as fast, all of it is visible, and nothing is lost', async () => {
  const before = await load();
  await allHaveAll();

  await receivers.get('down')?.stop();
  takings.get('slow')?.[0]?.answer(() => wait(1_500, {}));
  takings.get('refusing')?.[0]?.answer(() => ({ grpc: status.UNAUTHENTICATED, words: 'as told' }));
  const partialSuccess = { rejectedSpans: 3, errorMessage: 'older than a day' };
  takings
    .get('partial')?.[0]
    ?.answer((_, call) => (call % 2 === 0 ? { response: encodeResponse({ partialSuccess }) } : {}));
  const limit = Math.max(LONGER_AT_MOST * before, before + LONGER_BY_US);
  // Other suites begin and end beside this one: what the destinations cost, they cost each time.
  let during = await load();
  for (let times = 1; times < 3 && during >= limit; times++) during = await load();
  expect(during).toBeLessThan(limit);

  const { status: whole, httpStatus } = await standings((of) => {
    const told = (name: Name, words: RegExp) => words.test(of(name)?.problem ?? '');
    return (
      told('down', /ECONNREFUSED.*tried again/) &&
      told('refusing', /as told.*a file is read anew/) &&
      told('partial', /acknowledged but not kept.*older than a day/)
    );
  });
  expect([httpStatus, whole]).toEqual([200, 'degraded']);

  await start('down');
  takings.get('slow')?.[0]?.answer(() => ({}));
  takings.get('refusing')?.[0]?.answer(() => ({}));
  replaceToken('better');
  await load();
  await allHaveAll();
  expect(receivers.get('refusing')?.calls.at(-1)?.headers['authorization']).toBe('Bearer better');
  await standings((of) => (['down', 'slow', 'refusing'] as const).every((name) => of(name)?.ok));
});
