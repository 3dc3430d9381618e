// How Caddy's project names the files of a release, and lists their checksums.
import { describe, expect, test } from '@jest/globals';
import { type Machine, publishedSha512, releaseFiles } from '../../caddy/release.ts';

const machine = (platform: string, arch: string, armVersion = 'undefined'): Machine => ({
  platform,
  arch,
  armVersion,
  endianness: 'LE',
});
const archiveFor = (platform: string, arch: string, armVersion?: string) =>
  releaseFiles('2.11.9', machine(platform, arch, armVersion)).archive;

describe('the archive of a release', () => {
  test.each([
    [['linux', 'x64', undefined], 'caddy_2.11.9_linux_amd64.tar.gz'],
    [['linux', 'arm64', undefined], 'caddy_2.11.9_linux_arm64.tar.gz'],
    [['linux', 'arm', '7'], 'caddy_2.11.9_linux_armv7.tar.gz'],
    [['linux', 'arm', '6'], 'caddy_2.11.9_linux_armv6.tar.gz'],
    [['linux', 'ppc64', undefined], 'caddy_2.11.9_linux_ppc64le.tar.gz'],
    [['linux', 's390x', undefined], 'caddy_2.11.9_linux_s390x.tar.gz'],
    [['linux', 'riscv64', undefined], 'caddy_2.11.9_linux_riscv64.tar.gz'],
    [['darwin', 'x64', undefined], 'caddy_2.11.9_mac_amd64.tar.gz'],
    [['darwin', 'arm64', undefined], 'caddy_2.11.9_mac_arm64.tar.gz'],
  ] as const)('for %j is %s', ([platform, arch, armVersion], name) => {
    expect(archiveFor(platform, arch, armVersion)).toBe(name);
  });

  test.each([
    ['sunos', 'x64'],
    ['win32', 'x64'],
    ['linux', 'ia32'],
    ['linux', 'arm'],
    ['darwin', 'riscv64'],
    ['constructor', 'x64'],
    ['linux', 'constructor'],
  ])('is not there for %s on %s, and that is said', (platform, arch) => {
    expect(() => archiveFor(platform, arch)).toThrow(`no release for ${platform} on ${arch}`);
  });

  test('is not there for a ppc64 whose bytes are the other way round', () => {
    const big: Machine = { ...machine('linux', 'ppc64'), endianness: 'BE' };
    expect(() => releaseFiles('2.11.9', big)).toThrow('no release for linux on ppc64');
  });
});

describe('the checksum of a file', () => {
  const sha512 = '0123456789abcdef'.repeat(8);
  const list = `${'f'.repeat(128)}  caddy_1_linux_amd64.sbom\n${sha512}  caddy_1_linux_amd64.tar.gz\n`;

  test('is that of its own line', () => {
    expect(publishedSha512(list, 'caddy_1_linux_amd64.tar.gz')).toBe(sha512);
  });

  test('may be written in capitals, and end in CRLF', () => {
    const other = list.toUpperCase().replaceAll('\n', '\r\n');
    expect(publishedSha512(other, 'CADDY_1_LINUX_AMD64.TAR.GZ')).toBe(sha512);
  });

  test('is none when only a longer name begins with it', () => {
    const longer = () => publishedSha512(`${sha512}  caddy.tar.gz.sig\n`, 'caddy.tar.gz');
    expect(longer).toThrow('do not name caddy.tar.gz');
  });

  test.each(['', '<html>not found</html>', `${'a'.repeat(64)}  caddy.tar.gz`])(
    'is none in `%s`',
    (text) => {
      expect(() => publishedSha512(text, 'caddy.tar.gz')).toThrow('checksums');
    },
  );
});
