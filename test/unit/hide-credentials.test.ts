// What a destination says of our credentials is not repeated, in whatever spelling it says it.
import { expect, test } from '@jest/globals';
import { hideCredentials } from '../../sidecar/otlp/hide-credentials.ts';

const TOKEN = 'glc_a/b+c"defghij0123456789';
const basic = (token: string) => ({ authorization: `Basic ${btoa(`123456:${token}`)}` });

test.each([
  ['whole', { 'x-team': TOKEN }, TOKEN],
  ['without its prefix', { authorization: `Bearer ${TOKEN}` }, TOKEN],
  ['without its name', { authorization: `key=${TOKEN}` }, TOKEN],
  ['taken out of base64', basic(TOKEN), `123456:${TOKEN}`],
  ['taken out of base64, without the user', basic(TOKEN), TOKEN],
  ['in base64', { 'x-team': TOKEN }, btoa(TOKEN)],
  ['in a URL', { 'x-team': TOKEN }, encodeURIComponent(TOKEN)],
  ['in a URL, in lower case', { 'x-team': TOKEN }, 'glc_a%2fb%2bc%22defghij0123456789'],
  ['in JSON', { 'x-team': TOKEN }, JSON.stringify(TOKEN)],
  ['in PHP’s JSON', { 'x-team': TOKEN }, JSON.stringify(TOKEN).replaceAll('/', '\\/')],
])('a token %s', (_how, headers, spelled) => {
  const told = hideCredentials(headers)(`your token ${spelled} is of no use`);
  expect(told).toMatch(/^your token "?\[secret\]=*"? is of no use$/);
});

test('words that are short, and all others, are left', () => {
  const told = hideCredentials({ authorization: 'Basic abcdefgh' })('Basic is not allowed');
  expect(told).toBe('Basic is not allowed');
});
