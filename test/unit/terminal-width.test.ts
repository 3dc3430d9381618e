// How wide commands take the terminal to be.
import { afterEach, expect, test } from '@jest/globals';
import { terminalWidth } from '../../sidecar/report/command-store.ts';

const before = Object.getOwnPropertyDescriptor(process.stdout, 'columns');
afterEach(() => {
  if (before) Object.defineProperty(process.stdout, 'columns', before);
  else Reflect.deleteProperty(process.stdout, 'columns');
});

test.each([
  [80, 80],
  [0, undefined],
  [undefined, undefined],
])('of one that reports %s columns it is %s: 0 is one that does not know', (value, width) => {
  Object.defineProperty(process.stdout, 'columns', { value, configurable: true });
  expect(terminalWidth()).toBe(width);
});
