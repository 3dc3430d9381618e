// Which preset `signet init` suggests, and that what it writes is taken with it and without.
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { checkConfig } from '../../sidecar/config/load.ts';
import { PRESETS } from '../../sidecar/identity/presets.ts';
import { presetFor } from '../../sidecar/setup/preset.ts';
import { settingsText } from '../../sidecar/setup/settings-text.ts';
import { systemLayout } from '../../sidecar/setup/layout.ts';
import { sourcesOf } from '../fixtures/config-sources.ts';

test.each([
  ['https://accounts.google.com', 'google'],
  ['https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0', 'entra'],
  ['https://example.okta.com/oauth2/default', 'okta'],
  ['https://example.eu.auth0.com/', 'auth0'],
  ['https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc', 'cognito'],
  ['https://login.example.com/realms/example', 'keycloak'],
])('%s looks like %s, which there is for people', (issuer, preset) => {
  expect(presetFor(issuer)).toBe(preset);
  expect(PRESETS[preset]?.forPeople).toBe(true);
});

test.each([
  'https://login.example.com',
  'https://okta.com.example.org',
  'https://example.com/?a=.okta.com',
  'https://notauth0.com',
  'https://login.example.com/realms/',
])('%s looks like none', (issuer) => {
  expect(presetFor(issuer)).toBeUndefined();
});

function textFor(issuer: string): string {
  const host = { name: 'app.example.com' };
  const answers = { issuer, clientId: 'c', host, app: ['localhost:3000'] as const, spansTo: NONE };
  return settingsText({ answers, layout: systemLayout() });
}

const NONE = { kind: 'none' } as const;
const OKTA = 'https://example.okta.com';

test('it is suggested in a comment: nothing else is asked for before somebody says so', () => {
  expect(textFor(OKTA)).toContain('# preset: okta\n');
  expect(parse(textFor(OKTA))).not.toHaveProperty('preset');
  expect(textFor('https://login.example.com')).not.toContain('preset');
});

test.each([
  ['as it is written', (text: string) => text],
  ['without the mark of the comment', (text: string) => text.replace('# preset: ', 'preset: ')],
])('the file is taken %s', (_how, change) => {
  const text = change(textFor(OKTA));
  const sources = sourcesOf(
    { SIGNET_CLIENT_SECRET: 's', SIGNET_CONFIG: '/signet.yaml' },
    {
      '/signet.yaml': text.replace(/^client_secret_file:.*\n/m, ''),
    },
  );
  const checked = checkConfig(sources);
  expect('errors' in checked ? checked.errors : []).toEqual([]);
});
