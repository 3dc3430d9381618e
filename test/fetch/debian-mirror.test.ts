// The archive of Debian among the source lists of a system, and what looks like it. Other vendors' lines are as
// their installation guides have them.
import { describe, expect, test } from '@jest/globals';
import { findMirror } from '../../caddy/debian-mirror.ts';

const URI = 'http://d.example/debian';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const DEBIAN = `Types: deb\nURIs: ${URI}\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: ${KEYRING}\n`;

describe("the system's Debian archive", () => {
  test('is read from stanzas, and not from those of security updates', () => {
    const security =
      'Types: deb\nURIs: http://d.example/sec\nSuites: bookworm-security\nComponents: main\n';
    expect(findMirror([`# a\n${security}\n${DEBIAN}`], 'bookworm')).toBe(URI);
  });

  test.each([
    `deb ${URI} bookworm main`,
    `# x\ndeb ${URI}/ sid main contrib # y`,
    `deb [arch=amd64 signed-by=${KEYRING}] ${URI} bookworm main`,
    `deb [ signed-by=/usr/share/keyrings/debian-archive-bookworm-stable.gpg ] ${URI} stable main`,
  ])('is read from the line `%s`', (line) => {
    expect(findMirror([line], 'bookworm')?.replace(/\/$/, '')).toBe(URI);
  });

  test('is a mirror of another name and without a keyring, where there is none that is likelier', () => {
    const mirror = 'deb http://mirror.corp.example/deb bookworm main';
    expect(findMirror([mirror], 'bookworm')).toBe('http://mirror.corp.example/deb');
    expect(findMirror([mirror, `deb ${URI} bookworm main`], 'bookworm')).toBe(URI);
  });

  test('is found where a key stands in the list itself', () => {
    const text = `Types: deb\nURIs: ${URI}\nSuites: trixie\nComponents: main\nSigned-By:\n -----BEGIN\n`;
    expect(findMirror([text], 'trixie')).toBe(URI);
  });

  const others = [
    'deb [signed-by=/usr/share/keyrings/brave.gpg] https://brave.example/ stable main',
    'deb [arch=amd64] https://dl.chrome.example/linux/chrome/deb/ stable main',
    'deb [signed-by=/etc/apt/keyrings/docker.asc] https://docker.example/linux/debian bookworm stable',
    'deb https://docker.example/linux/debian bookworm stable',
    'Types: deb\nURIs: https://vendor.example/debian\nSuites: stable\nComponents: main\nSigned-By: /k.gpg\n',
    `deb [signed-by=${KEYRING},/k.gpg] https://vendor.example/debian stable main`,
  ];

  test.each(others)('is not what another vendor has: `%s`', (other) => {
    expect(findMirror([other, DEBIAN], 'bookworm')).toBe(URI);
  });

  test('is none where sources are commented out, disabled, only deb-src, or another’s by their keyring', () => {
    const lists = [
      `#deb ${URI} bookworm main`,
      `deb-src ${URI} bookworm main`,
      `Types: deb-src\nURIs: ${URI}\nSuites: bookworm\nComponents: main\n`,
      `Enabled: no\n${DEBIAN}`,
      ...others.filter((other) => other.includes('/k.gpg')),
    ];
    expect(findMirror(lists, 'bookworm')).toBeUndefined();
  });
});
