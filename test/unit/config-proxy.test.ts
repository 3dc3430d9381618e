import { describe, expect, test } from '@jest/globals';
import { formatConfigErrors } from '../../sidecar/config/errors.ts';
import { configOf, errorsOf } from '../fixtures/config-sources.ts';

/** Returns the proxies with their URLs revealed. */
function proxyOf(env: Record<string, string>) {
  const { proxy } = configOf({ SIGNET_DESTINATION: 'otlp', ...env });
  return proxy && { ...proxy, https: proxy.https?.reveal(), http: proxy.http?.reveal() };
}

describe('proxies', () => {
  test('are none where no variable names one', () => {
    expect(proxyOf({ NO_PROXY: 'a' })).toBeUndefined();
  });

  test('are what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say', () => {
    const env = {
      HTTPS_PROXY: 'http://joe:p%40ss@proxy:3128',
      HTTP_PROXY: 'http://plain:8080',
      NO_PROXY: 'localhost, .svc,10.0.0.0/8,',
    };
    expect(proxyOf(env)).toEqual({
      https: 'http://joe:p%40ss@proxy:3128',
      http: 'http://plain:8080',
      no: ['localhost', '.svc', '10.0.0.0/8'],
    });
  });

  test('lower case comes first, as with curl', () => {
    const env = { HTTPS_PROXY: 'http://upper', https_proxy: 'http://lower', no_proxy: 'a' };
    expect(proxyOf({ ...env, NO_PROXY: 'b' })).toMatchObject({ https: 'http://lower', no: ['a'] });
  });

  test.each([
    'proxy:3128',
    'socks5://joe:hunter2@proxy:1080',
    'joe:hunter2@proxy:3128',
    'http://',
    'http://proxy:0',
    'http://proxy:65536',
    'http://proxy:3128/hunter2',
    'http://proxy:3128?hunter2',
    'http://proxy:3128/#hunter2',
    'http://joe:hunter2%@proxy:3128',
  ])('%s is no proxy, and it is not shown', (url) => {
    const errors = errorsOf({ SIGNET_DESTINATION: 'otlp', https_proxy: url });
    expect(errors).toMatchObject([{ where: 'https_proxy', read: 'no URL of a proxy' }]);
    expect(formatConfigErrors(errors)).not.toContain('hunter2');
  });

  test.each(['http://proxy/', 'http://proxy:80', 'http://joe@proxy:65535'])('%s is one', (url) => {
    expect(proxyOf({ HTTPS_PROXY: url })).toMatchObject({ https: url });
  });

  test('are looked at together with destinations that are no good themselves', () => {
    const env = { SIGNET_DESTINATION: 'lightstep', HTTPS_PROXY: 'proxy' };
    expect(
      errorsOf(env)
        .map(({ where }) => where)
        .toSorted(),
    ).toEqual(['HTTPS_PROXY', 'LIGHTSTEP_ACCESS_TOKEN']);
  });

  test('are nobody’s concern where nothing is sent', () => {
    expect(errorsOf({ HTTPS_PROXY: 'socks5://proxy' })).toEqual([]);
    expect(configOf({ HTTPS_PROXY: 'http://proxy' }).proxy).toBeUndefined();
  });

  test('can not be printed', () => {
    const env = { SIGNET_DESTINATION: 'otlp', HTTPS_PROXY: 'http://joe:hunter2@proxy' };
    expect(JSON.stringify(configOf(env))).not.toContain('hunter2');
  });
});
