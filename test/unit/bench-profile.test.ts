// What the benchmark reads out of a CPU profile, and of a thread's CPU.
import { describe, expect, test } from '@jest/globals';
import { sharesOf, type CpuProfile, type Share } from '../bench/profile-read.ts';
import { usedBetween } from '../bench/profile-threads.ts';

const ROOT = '/src/signet';

/** Returns a profile with a sample of each of these frames, `name@url:line`, in turn. */
function profileOf(...frames: readonly string[]): CpuProfile {
  const parsed = frames.map((frame) => /^([^@]*)@(.*):(\d+)$/.exec(frame) ?? [frame, frame, '', 0]);
  const nodes = parsed.map(([, functionName = '', url = '', line], at) => ({
    id: at + 1,
    callFrame: { functionName: String(functionName), url: String(url), lineNumber: Number(line) },
  }));
  return { nodes, samples: nodes.map(({ id }) => id) };
}

function namesOf(shares: readonly Share[]): string[] {
  return shares.map(({ name }) => name);
}

describe('the shares of a profile', () => {
  test('are of the time that was not idle', () => {
    const { byFunction, samples } = sharesOf(profileOf('(idle)', '(idle)', 'parse', 'run'), ROOT);
    expect(samples).toBe(2);
    expect(byFunction.map(({ share }) => share)).toEqual([0.5, 0.5]);
  });

  test('add up what several call sites took, largest first', () => {
    const gate = `file://${ROOT}/sidecar/gate.ts`;
    const { byFunction } = sharesOf(
      profileOf('parse', `seal@${gate}:9`, `seal@${gate}:9`, `seal@${gate}:9`),
      ROOT,
    );
    expect(byFunction).toEqual([
      { name: 'seal sidecar/gate.ts:10', share: 0.75 },
      { name: 'parse', share: 0.25 },
    ]);
  });

  test('name the rooms, the files at the top, packages, Node, and the rest', () => {
    const { byPlace } = sharesOf(
      profileOf(
        `row@file://${ROOT}/sidecar/audit/columns.ts:1`,
        `verify@file://${ROOT}/sidecar/gate.ts:1`,
        `send@file://${ROOT}/node_modules/@grpc/grpc-js/build/src/client.js:1`,
        `handle@file:///elsewhere/node_modules/express/index.js:1`,
        'end@node:_http_outgoing:1',
        'writev',
        '(garbage collector)',
      ),
      ROOT,
    );
    expect(namesOf(byPlace).toSorted()).toEqual([
      '(garbage collector)',
      'native',
      'node',
      'npm @grpc/grpc-js',
      'npm express',
      'sidecar/audit',
      'sidecar/gate.ts',
    ]);
  });

  test('are none when the thread did nothing', () => {
    expect(sharesOf(profileOf('(idle)'), ROOT)).toEqual({
      byFunction: [],
      byPlace: [],
      samples: 0,
    });
  });
});

test('a thread that began between two moments has used what it has used', () => {
  const before = new Map([['MainThread', 100]]);
  const after = new Map([
    ['MainThread', 140],
    ['recorder', 30],
  ]);
  expect(Object.fromEntries(usedBetween(before, after))).toEqual({ MainThread: 40, recorder: 30 });
});
