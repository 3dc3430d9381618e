// The settings of what is sent, for commands that need no others.
import { describe, expect, test } from '@jest/globals';
import { checkSending, loadSending } from '../../sidecar/config/load-sending.ts';
import { FOUR, configOf, sourcesOf } from '../fixtures/config-sources.ts';

const yaml = (text: string) => ({ '/folder/signet.yaml': text });

function mistakes(env: Record<string, string>, files = {}): string[] {
  const checked = checkSending(sourcesOf(env, files));
  return 'errors' in checked ? checked.errors.map(({ where }) => where) : [];
}

describe('what is sent', () => {
  test('is known without a provider and a client', () => {
    const env = { SIGNET_DESTINATION: 'http://127.0.0.1:4317', SIGNET_SAMPLING_RATIO: '0.5' };
    expect(loadSending(sourcesOf(env))).toMatchObject({
      destinations: [{ name: 'otlp', endpoint: 'http://127.0.0.1:4317' }],
      sampling: { ratio: 0.5 },
      resource: { 'service.name': 'caddy' },
    });
  });

  test('is the same as in the whole configuration', () => {
    const further = { SIGNET_DESTINATION: 'http://127.0.0.1:4317', SIGNET_VERSION: '4.2.0' };
    const { destinations, resource, sampling } = configOf(further);
    const sending = loadSending(sourcesOf({ ...FOUR, ...further }));
    expect(sending).toEqual({ destinations, resource, sampling });
  });

  test('is not known where no destination is named', () => {
    expect(mistakes({})).toEqual(['SIGNET_DESTINATION (or destinations in signet.yaml)']);
  });

  test('is not known where its own settings are wrong, each of which is told', () => {
    const text = 'destinations: [{ name: a, profile: nowhere }]\nsampling: { ratio: 2 }\n';
    expect(mistakes({}, yaml(text))).toEqual([
      'signet.yaml: destinations[0].profile',
      'signet.yaml: sampling.ratio',
    ]);
  });

  test('does not depend on what is wrong elsewhere', () => {
    const text = 'destinations: []\nissuer: 17\nsession: { idle: often }\n';
    expect(mistakes({ SIGNET_DESTINATION: 'none' }, yaml(text))).toEqual([]);
  });

  test('is not known of a file that is no YAML', () => {
    expect(mistakes({ SIGNET_DESTINATION: 'none' }, yaml('a: [\n'))).toContain('signet.yaml');
  });
});
