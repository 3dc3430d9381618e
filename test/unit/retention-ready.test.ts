// How /readyz tells of old rows.
import { expect, test } from '@jest/globals';
import { recorderChecks } from '../../sidecar/readiness.ts';
import { NOTHING_KNOWN } from '../../sidecar/recorder-state.ts';

test('where rows are kept for ever there is no check of it', () => {
  expect(recorderChecks({ ...NOTHING_KNOWN })).not.toHaveProperty('retention');
});

test('rows that go as they should are well, with the last that has gone', () => {
  const retention = { status: 'keeping', removedUpTo: 7 } as const;
  expect(recorderChecks({ ...NOTHING_KNOWN, retention })['retention']).toEqual({
    ok: true,
    status: 'keeping',
    removedUpTo: 7,
  });
});

test('what is wrong with it makes the check fail, with who waits for how many since when', () => {
  const waiting = { collector: { rows: 5, since: '2026-11-20T00:00:00.000Z' } };
  const retention = { status: 'waiting', removedUpTo: 7, waiting, problem: 'they wait' } as const;
  expect(recorderChecks({ ...NOTHING_KNOWN, retention })['retention']).toMatchObject({
    ok: false,
    problem: 'they wait',
    waiting,
  });
});
