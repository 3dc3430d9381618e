// Which backend an entry of the file is for, where it doesn't say so itself.
import { describe, expect, test } from '@jest/globals';
import { PROFILES } from '../../sidecar/otlp/profiles.ts';
import { destinationsIn, errorsIn } from '../fixtures/config-sources.ts';

describe('an entry without a profile', () => {
  test.each(Object.entries(PROFILES))(
    'called %s is for the backend of that name',
    (name, known) => {
      const endpoint = "endpoint: 'https://e.example.com'";
      const token = known.credential === undefined ? '' : ', token_file: t';
      const text = `destinations: [{ name: ${name}, ${endpoint}${token} }]`;
      const [found] = destinationsIn(text, { '/folder/t': '1:t' });
      expect(found?.protocol).toBe(known.protocol);
      expect(found?.tokenFile?.header).toBe(known.credential?.header);
    },
  );

  test('called anything else speaks OTLP', () => {
    expect(destinationsIn('destinations: [{ name: eu }]')).toMatchObject([
      { protocol: 'grpc', endpoint: 'http://localhost:4317' },
    ]);
  });

  test('called as an object has a property already is for no backend', () => {
    expect(destinationsIn('destinations: [{ name: constructor }]')).toMatchObject([
      { endpoint: 'http://localhost:4317' },
    ]);
  });

  test('with a token of nobody knows whom is told to name the profile', () => {
    expect(errorsIn('destinations: [{ name: eu, token_file: t }]')).toMatchObject([
      { allowed: 'no token for otlp', mend: expect.stringContaining('set profile') },
    ]);
  });
});

test('a profile that is written counts, whatever the name', () => {
  const text = 'destinations: [{ name: honeycomb, profile: otlp }]';
  expect(destinationsIn(text)).toMatchObject([{ endpoint: 'http://localhost:4317' }]);
});
