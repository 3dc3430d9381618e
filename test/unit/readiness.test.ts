// How /readyz tells of destinations: all that is wrong in one problem, and no more than that is for people.
import { expect, test } from '@jest/globals';
import { troublesOf, type DeliveryState } from '../../sidecar/delivery/delivery-state.ts';
import { recorderChecks } from '../../sidecar/readiness.ts';
import { NOTHING_KNOWN } from '../../sidecar/recorder-state.ts';

const WELL: DeliveryState = { cursor: 7, status: 'delivering', inFlight: 0, sent: 5, leftOut: {} };
const checkOf = (changes: Partial<DeliveryState>) =>
  recorderChecks({
    ...NOTHING_KNOWN,
    lastSequence: 10,
    destinations: { one: { ...WELL, ...changes } },
  })['destination one'];

test('a destination that is well says how far it is, and what was sent', () => {
  expect(checkOf({})).toEqual({
    ...{ ok: true, delivered: 7, waiting: 3, status: 'delivering' },
    ...{ inFlight: 0, sent: 5, leftOut: {} },
  });
});

test('what was lost hides nothing that is wrong now: the most urgent first', () => {
  const found = {
    ...{ store: undefined, sending: undefined },
    ...{ credentials: '/etc/token is of no use', loss: 'refused for good: 3' },
  };
  expect(checkOf(troublesOf(found))).toMatchObject({
    ok: false,
    problem: '/etc/token is of no use. refused for good: 3',
  });
  expect(checkOf(troublesOf(found))).not.toHaveProperty('troubles');
});

test('what is said already is not said twice', () => {
  const file = '/etc/token is of no use';
  const found = { store: undefined, sending: `one: ${file}`, credentials: file, loss: undefined };
  expect(troublesOf(found).problem).toBe(`one: ${file}`);
});

test('metrics say when they were taken last, and why they were not', () => {
  const checks = recorderChecks({
    ...NOTHING_KNOWN,
    metrics: { one: { lastSentAt: '2026-11-21T12:00:00.000Z' }, two: { problem: 'not taken' } },
  });
  expect(checks['metrics one']).toEqual({ ok: true, lastSentAt: '2026-11-21T12:00:00.000Z' });
  expect(checks['metrics two']).toEqual({ ok: false, problem: 'not taken' });
});
