// Spans of no row on their way to one destination: bounded, tried three times, counted.
import { expect, test } from '@jest/globals';
import {
  createLiveDelivery,
  MAX_WAITING_SPANS,
  type LiveDelivery,
} from '../../sidecar/delivery/live.ts';
import type { Answer } from '../../sidecar/otlp/transport.ts';
import type { Span } from '../../sidecar/trace/span.ts';
import { until } from '../fixtures/until.ts';

const TAKEN: Answer = { kind: 'acknowledged', response: Buffer.alloc(0) };
const LATER: Answer = { kind: 'retry', problem: 'busy' };

const span = (name: string): Span => ({
  traceId: '4d0320747bbc4e5d964fa0f15a34b6f6',
  spanId: '00f067aa0ba902b7',
  name,
  kind: 'CLIENT',
  startUs: 1,
  endUs: 2,
  attributes: {},
  isError: false,
});
const spans = (count: number) => Array.from({ length: count }, (_, index) => span(String(index)));

/** A destination that gives these answers, the last one for good, and what it was sent: names by request. */
function startLive(answers: Answer[], retryMs = 1) {
  const sent: string[] = [];
  const live = createLiveDelivery({
    retryMs,
    encode: (batch) => Buffer.from(batch.map(({ name }) => name).join()),
    transport: {
      async send(signal, request) {
        sent.push(`${signal} ${request.toString()}`);
        return (answers.length > 1 ? answers.shift() : answers[0]) ?? TAKEN;
      },
    },
  });
  return { live, sent };
}

const settled = (live: LiveDelivery, count: number) =>
  until('all to be sent or dropped', () => {
    const { sentSpans, droppedSpans } = live.state();
    return sentSpans + droppedSpans === count;
  });

test('spans are sent as traces, at once', async () => {
  const { live, sent } = startLive([TAKEN]);
  live.add(spans(2));
  await settled(live, 2);
  expect(sent).toEqual(['traces 0,1']);
  expect(live.state()).toEqual({ sentSpans: 2, droppedSpans: 0 });
});

test('what comes while a request is under way goes with the next one', async () => {
  const { live, sent } = startLive([TAKEN]);
  for (const name of ['a', 'b', 'c']) live.add([span(name)]);
  await settled(live, 3);
  expect(sent).toEqual(['traces a', 'traces b,c']);
});

test('what is not taken is tried twice more', async () => {
  const { live, sent } = startLive([LATER, { kind: 'unauthorized', problem: 'no' }, TAKEN]);
  live.add(spans(1));
  await settled(live, 1);
  expect(sent).toHaveLength(3);
  expect(live.state()).toEqual({ sentSpans: 1, droppedSpans: 0 });
});

test('what is not taken the third time is dropped and counted, and the next are sent', async () => {
  const { live } = startLive([LATER, LATER, LATER, TAKEN]);
  live.add(spans(3));
  live.add(spans(2));
  await settled(live, 5);
  expect(live.state()).toEqual({ sentSpans: 2, droppedSpans: 3 });
});

test('what is refused for good is not tried again', async () => {
  const { live, sent } = startLive([{ kind: 'refused', problem: 'malformed' }]);
  live.add(spans(1));
  await settled(live, 1);
  expect(sent).toHaveLength(1);
  expect(live.state()).toEqual({ sentSpans: 0, droppedSpans: 1 });
});

test('what was acknowledged and rejected counts as dropped', async () => {
  // partial_success { rejected_spans: 2 }
  const response = Buffer.from([0x0a, 0x02, 0x08, 0x02]);
  const { live } = startLive([{ kind: 'acknowledged', response }]);
  live.add(spans(3));
  await settled(live, 3);
  expect(live.state()).toEqual({ sentSpans: 1, droppedSpans: 2 });
});

test('no more than 1,000 wait; those beyond are dropped and counted', async () => {
  const { live } = startLive([TAKEN]);
  live.add(spans(1));
  live.add(spans(MAX_WAITING_SPANS + 5));
  await settled(live, MAX_WAITING_SPANS + 6);
  expect(live.state()).toEqual({ sentSpans: MAX_WAITING_SPANS + 1, droppedSpans: 5 });
});

test('the end is not held up by a pause: it is tried once more, and dropped', async () => {
  const { live, sent } = startLive([{ ...LATER, afterMs: 9_000 }]);
  live.add(spans(1));
  await until('the first try', () => sent.length === 1);
  await live.finish(5_000);
  expect(sent).toHaveLength(2);
  expect(live.state()).toEqual({ sentSpans: 0, droppedSpans: 1 });
});

test('spans that cannot be encoded are dropped and counted, and the next are sent', async () => {
  const live = createLiveDelivery({
    encode: ([first]) => {
      if (first?.name === '0') throw new Error('no such span');
      return Buffer.alloc(1);
    },
    transport: { send: async () => TAKEN },
  });
  live.add(spans(1));
  live.add([span('next')]);
  await settled(live, 2);
  expect(live.state()).toEqual({ sentSpans: 1, droppedSpans: 1 });
});

test('the end comes with its deadline, whatever the destination does', async () => {
  const live = createLiveDelivery({
    encode: () => Buffer.alloc(1),
    transport: { send: () => new Promise(() => {}) },
  });
  live.add(spans(1));
  await live.finish(20);
  expect(live.state()).toEqual({ sentSpans: 0, droppedSpans: 0 });
});
