// What stands in Caddy's JSON, in the words of the Caddyfile that it was made of.
import { describe, expect, test } from '@jest/globals';
import { describeHandler, describeMatch } from '../../sidecar/edge/describe.ts';

describe('variables are called what a Caddyfile calls them', () => {
  test.each([
    ['log_skip', { log_skip: true }],
    ['log_name', { access_logger_names: ['other'] }],
    ['unprotected hooks', { signet_unprotected: 'hooks' }],
    ['vars', { root: '/srv' }],
  ])('%s', (words, variables) => {
    expect(describeHandler({ handler: 'vars', ...variables })).toBe(words);
  });
});

const STATUS = '{http.error.status_code}';

// As Caddy 2.11.4 adapts them.
describe('what handle_errors is for is told as it stands there', () => {
  test.each([
    ['handle_errors 404 502', `${STATUS} in [404, 502]`],
    ['handle_errors 5xx', `${STATUS} >= 500 && ${STATUS} <= 599`],
    ['handle_errors 5xx 404', `${STATUS} >= 500 && ${STATUS} <= 599 || ${STATUS} in [404]`],
    ['@expression', `${STATUS} == 404`],
    ['@expression', `path('/x')`],
  ])('%s', (words, expression) => {
    expect(describeMatch({ match: [{ expression }] })).toBe(words);
  });
});
