// A part of what test/fuzz/all.fuzz.ts does with a million inputs.
import { expect, test } from '@jest/globals';
import { testSeeds } from '../fixtures/random.ts';
import { fuzz } from '../fuzz/fuzz.ts';

test.each(testSeeds(1))(
  'of 20,000 damaged lines and stamps none throws, forges a row, loses a byte or takes its time: seed %i',
  (seed) => {
    const { inputs, tally } = fuzz({ count: 20_000, seed });
    expect(inputs).toBeGreaterThanOrEqual(20_000);
    // Not everything is refused: the properties were asked about something.
    for (const name of ['entries', 'stamps opened', 'stamps refused', 'set aside: half-line']) {
      expect(tally[name]).toBeGreaterThan(100);
    }
  },
);
