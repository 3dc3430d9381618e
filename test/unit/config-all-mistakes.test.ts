// Mistakes in several entries under `destinations`, of which none hides another.
import { describe, expect, test } from '@jest/globals';
import { errorsIn } from '../fixtures/config-sources.ts';

const FILES = { '/folder/t': '1:t' };

/** Returns where something is wrong with these entries, sorted, without the file's name. */
function wrongIn(...entries: readonly string[]): string[] {
  const errors = errorsIn(`destinations: [${entries.join(', ')}]`, FILES);
  return errors.map(({ where }) => where.replace('signet.yaml: ', '')).toSorted();
}

describe('an entry that is refused as a whole', () => {
  const REFUSED = '{ profile: jaeger }';
  const NAMELESS = 'destinations[0].name';

  test.each([
    ['an endpoint to be filled in', '{ name: grafana, token_file: t }', 'destinations[1].endpoint'],
    ['a missing token', '{ name: honeycomb }', 'HONEYCOMB_API_KEY'],
    ['a signal', '{ name: jaeger, signals: [logs] }', 'destinations[1].signals'],
  ])('hides no mistake in another: %s', (_what, entry, where) => {
    expect(wrongIn(REFUSED, entry)).toEqual([where, NAMELESS].toSorted());
  });

  test('hides no name that stands twice', () => {
    expect(wrongIn(REFUSED, '{ name: a }', '5', '{ name: a }')).toEqual([
      NAMELESS,
      'destinations[2]',
      'destinations[3]',
    ]);
  });

  test('is not taken for a file without destinations', () => {
    expect(wrongIn(REFUSED)).toEqual([NAMELESS]);
  });
});

describe('an entry with a setting that is refused', () => {
  test.each([
    [
      '{ name: honeycomb, compression: zstd }',
      ['HONEYCOMB_API_KEY', 'destinations[0].compression'],
    ],
    [
      '{ name: grafana, token_file: t, budget: { spans_per_day: 0 } }',
      ['destinations[0].budget.spans_per_day', 'destinations[0].endpoint'],
    ],
    [
      "{ name: a, endpoint: 'ftp://a', signals: [spans] }",
      ['destinations[0].endpoint', 'destinations[0].signals[0]'],
    ],
  ])('is judged on: %s', (entry, where) => {
    expect(wrongIn(entry)).toEqual(where);
  });

  test.each([
    ['{ name: a, profile: nowhere, token_file: t, signals: [logs] }', 'profile'],
    ["{ name: a, protocol: http, endpoint: 'https://a/otlp' }", 'protocol'],
    ["{ name: grafana, endpoint: '', token_file: t }", 'endpoint'],
    ["{ name: honeycomb, token_file: '' }", 'token_file'],
    ['{ name: honeycomb, token: t }', 'token'],
    ["{ name: a, client_certificate_file: '', client_key_file: t }", 'client_certificate_file'],
    ['{ name: a, signals: 5, budget: { spans_per_day: 1 } }', 'signals'],
  ])('is told of once, and not of what follows: %s', (entry, key) => {
    expect(wrongIn(entry)).toEqual([`destinations[0].${key}`]);
  });
});
