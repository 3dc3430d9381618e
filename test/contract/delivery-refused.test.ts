// What a destination refused, as its state tells it: by the list in the store, whoever takes something off
// it, and across restarts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createLogFeed } from '../../sidecar/delivery/log-feed.ts';
import {
  openRefusals,
  refusedNote,
  resentNote,
  resentText,
} from '../../sidecar/delivery/refusals.ts';
import { createVolume } from '../../sidecar/delivery/volume.ts';
import type { Delivery } from '../../sidecar/delivery/deliver.ts';
import type { Answer } from '../../sidecar/otlp/transport.ts';
import { openOutgoing, type Outgoing, SHORT_PAUSES } from '../fixtures/deliveries.ts';
import { until } from '../fixtures/until.ts';

const REFUSED: Answer = { kind: 'refused', problem: 'one: answered INVALID_ARGUMENT: as told' };
const TAKEN: Answer = { kind: 'acknowledged', response: Buffer.alloc(0) };
const PAUSES = { ...SHORT_PAUSES, refusalsLookMs: 10 };

let folder: string;
let outgoing: Outgoing;
let answer: Answer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-refused-'));
  outgoing = await openOutgoing(folder);
  answer = REFUSED;
});
afterEach(async () => {
  await outgoing.end();
  rmSync(folder, { recursive: true });
});

const transport = {
  send: async () => answer,
  haveCredentialsChanged: () => false,
  problem: () => undefined,
};
const deliver = (changes = {}): Delivery => {
  const delivery = outgoing.deliver(transport, { pauses: PAUSES, ...changes });
  delivery.wake();
  return delivery;
};

async function refused(delivery: Delivery, rows: number): Promise<void> {
  await outgoing.record(rows);
  delivery.wake();
  await until('the cursor', () => delivery.state().cursor === rows);
}

/** Notes what was refused as taken, as `signet deliver --refused` does beside the sidecar. */
async function resend(sequences: readonly number[]): Promise<void> {
  const { store } = outgoing;
  const note = await store.note(refusedNote('one'));
  const before = await store.note(resentNote('one'));
  const taken = openRefusals(note, before).filter(({ sequence }) => sequences.includes(sequence));
  const text = resentText(note, before, taken);
  await store.moveCursor('two', 0, { [resentNote('one')]: text });
}

test('is told with its number and the last reason, and survives a restart', async () => {
  const first = deliver();
  await refused(first, 3);
  const problem =
    /^refused for good and set aside: 3 rows, .*INVALID_ARGUMENT.*; .*`signet deliver --refused`/;
  expect(first.state().problem).toMatch(problem);
  await first.finish(0);
  const second = deliver();
  await until('its list', () => second.state().problem !== undefined);
  expect(second.state().problem).toMatch(problem);
});

test('is told until all of it was sent again, without a restart', async () => {
  const delivery = deliver();
  await refused(delivery, 3);
  await resend([1, 3]);
  await until('a shorter list', () => delivery.state().problem?.includes('1 rows'));
  await resend([2]);
  await until('no list', () => delivery.state().problem === undefined);
});

test('is told of log records, which can be sent again as well', async () => {
  const delivery = deliver({ feed: () => createLogFeed({}, '1.2.3') });
  await refused(delivery, 1);
  expect(delivery.state().problem).toContain('`signet deliver --refused` sends them again');
});

test('is no longer counted as left out when it was sent again', async () => {
  const volume = createVolume(undefined);
  const delivery = deliver({ volume });
  await refused(delivery, 2);
  expect(volume.day(Date.now()).leftOut).toHaveProperty('refused');
  await resend([1, 2]);
  await until('no list', () => delivery.state().problem === undefined);
  expect(volume.day(Date.now()).leftOut).toEqual({});
  expect(await outgoing.store.note('volume:one')).not.toContain('refused');
});

test('of a destination that refuses everything is its status, until it takes something', async () => {
  const delivery = deliver();
  await refused(delivery, 24);
  await until('the status', () => delivery.state().status === 'refusing');
  expect(delivery.state().problem).toMatch(/refused all of the last 20/);
  answer = TAKEN;
  await outgoing.record(1);
  delivery.wake();
  await until('the status', () => delivery.state().status === 'delivering');
});
