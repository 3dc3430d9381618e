// The table of presets in the guide says what they bring.
import { expect, test } from '@jest/globals';
import { PRESETS } from '../../sidecar/identity/presets.ts';
import { readGuide } from '../fixtures/markdown.ts';

/** The cells of each preset's row, by its name. */
const rows = new Map(
  readGuide('deploy/providers.md')
    .split('\n')
    .filter((line) => /^\| `[\w-]+` .*\|.*\|.*\|.*\|.*\|$/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, name = '', ...cells]) => [name.replaceAll('`', ''), cells]),
);

test('each preset has a row', () => {
  const known = [...rows.keys()].filter((name) => Object.hasOwn(PRESETS, name));
  expect(known.toSorted()).toEqual(Object.keys(PRESETS).toSorted());
});

test.each(Object.entries(PRESETS))('%s is told as it is', (name, preset) => {
  const [scopes, claims = '', parameters = '', tokens = ''] = rows.get(name) ?? [];
  const asked = preset.scopes ?? ['profile', 'email'];
  expect(scopes).toBe(preset.forPeople ? `\`${asked.join(' ')}\`` : 'only under `bearer`');
  // What is usual needs no word.
  const { user, ...others } = preset.claims ?? {};
  const told = { ...(user !== 'preferred_username' && user && { user }), ...others };
  for (const word of Object.entries(told).flat()) expect(claims).toContain(word);
  expect(claims === '').toBe(Object.keys(told).length === 0);
  const pairs = Object.entries(preset.parameters ?? {}).map((pair) => pair.join('='));
  expect(parameters.replaceAll('`', '').split(', ').filter(Boolean)).toEqual(pairs);
  for (const algorithm of preset.algorithms ?? []) expect(tokens).toContain(algorithm);
  expect(tokens.includes('`typ`')).toBe(preset.types !== undefined);
});
