// What the gate reads takes it time in proportion to its length: one request can't hold up all others.
import { expect, test } from '@jest/globals';
import { checkLinearGate } from '../fuzz/linear-gate.ts';

test('ten times as much of anything in a header takes the gate ten times as long, not a hundred', async () => {
  await expect(checkLinearGate()).resolves.toBeDefined();
});
