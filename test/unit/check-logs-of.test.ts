// Which requests Caddy leaves out of all logs, by their hosts; and which outputs are no file.
import { describe, expect, test } from '@jest/globals';
import { unloggedBecause } from '../../sidecar/check/logged-hosts.ts';
import { fileOf } from '../../sidecar/check/logs-of.ts';

const HOSTS = ['app.example.com'];

describe('a host is left out', () => {
  test.each([
    ['by its name', HOSTS, ['app.example.com']],
    ['in any case of letters', HOSTS, ['APP.example.com']],
    ['by a star for its first label', HOSTS, ['*.example.com']],
    ['by a star for each label', HOSTS, ['*.*.*']],
    ['of one label by a star', ['localhost'], ['*']],
    ['when the site has them all', [], ['app.example.com']],
    ['when the site has a pattern for it', ['*.example.com'], ['app.example.com']],
  ])('%s', (_how, hosts, skipHosts) => {
    const because = unloggedBecause({ skip_hosts: skipHosts }, hosts, []);
    expect(because).toBe(`skip_hosts has ${skipHosts.join(', ')}`);
  });

  test('that has no logger of its own, where such are skipped', () => {
    const server = { skip_unmapped_hosts: true, logger_names: { 'b.example.com': ['x'] } };
    expect(unloggedBecause(server, ['b.example.com', 'app.example.com'], [])).toBe(
      'skip_unmapped_hosts is set',
    );
  });
});

describe('nothing is left out', () => {
  test.each([
    ['where a star stands for fewer labels', { skip_hosts: ['*', '*.com'] }, HOSTS],
    ['where it is skipped and has a logger', named('app.example.com'), HOSTS],
    ['where it has a logger by a pattern', named('*.example.com'), HOSTS],
  ])('%s', (_where, server, hosts) => {
    expect(unloggedBecause(server, hosts, [])).toBeUndefined();
  });

  test('of a site, where the host is another’s', () => {
    const server = { skip_hosts: ['other.example.com'] };
    expect(unloggedBecause(server, ['*.example.com'], ['other.example.com'])).toBeUndefined();
  });
});

function named(host: string) {
  return { skip_hosts: HOSTS, skip_unmapped_hosts: true, logger_names: { [host]: ['record'] } };
}

test.each(['/dev/null', '/dev/stdout', '/dev/../dev/null', '/proc/self/fd/1'])(
  '%s is no file that keeps a line',
  (filename) => {
    expect(fileOf({ writer: { output: 'file', filename } })).toBeUndefined();
  },
);
