// The recorder has its rows counted when they are in the store, and each once: over a real log and store.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createFollower } from '../../sidecar/accesslog/follow.ts';
import type { Row } from '../../sidecar/audit/row.ts';
import { createRecorder } from '../../sidecar/record.ts';
import { createSample } from '../../sidecar/trace/sampling.ts';
import { SAMPLE_EVERYTHING } from '../fixtures/sampling.ts';
import { makePlace, type Place } from '../fixtures/recorder.ts';
import { requestId } from '../fixtures/rows.ts';
import { openStore } from '../fixtures/stores.ts';

let place: Place;
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.remove());

/** Records all there is in the log, from its beginning, and returns what was observed. */
async function observedFromTheBeginning(): Promise<readonly Row[]> {
  const store = await openStore(place.store);
  const observed: Row[] = [];
  const follower = createFollower({ path: place.log, isCheckpointLost: true });
  const recorder = createRecorder({
    follower,
    store,
    keys: [],
    rules: {
      ownAddresses: [],
      redact: String,
      address: String,
      sample: createSample(SAMPLE_EVERYTHING),
    },
    deliveries: [],
    observe: (rows) => observed.push(...rows),
    notes: () => ({}),
    clock: () => Date.now() * 1000,
  });
  while (await recorder.step());
  follower.close();
  await store.close();
  return observed;
}

const requestsOf = (rows: readonly Row[]) =>
  rows.filter(({ kind }) => kind !== 'event').map((row) => row.requestId);

test('rows are observed as they are recorded, events among them', async () => {
  place.write(1, 2);
  const observed = await observedFromTheBeginning();
  expect(requestsOf(observed)).toEqual([requestId(1), requestId(2)]);
  expect(observed.map(({ kind }) => kind)).toContain('event'); // the gap
});

test('a line that stands in the log twice is observed once, and takes no other’s place', async () => {
  place.write(1, 2, 2, 1);
  expect(requestsOf(await observedFromTheBeginning())).toEqual([requestId(1), requestId(2)]);
});

test('a line that is read again is not observed again', async () => {
  place.write(1, 2);
  await observedFromTheBeginning();
  place.write(3);
  const observed = await observedFromTheBeginning();
  expect(requestsOf(observed)).toEqual([requestId(3)]);
});
