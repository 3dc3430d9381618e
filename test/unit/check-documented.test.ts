// deploy/check.md lists the codes of `signet check`: all of them, as codes.ts has them.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { CODES } from '../../sidecar/check/codes.ts';

const PAGE = fileURLToPath(new URL('../../deploy/check.md', import.meta.url));

/** The cells of the table's rows, without its head. */
function documented(): string[][] {
  const [, table = ''] =
    /<!-- codes -->\n([^]*?)<!-- \/codes -->/.exec(readFileSync(PAGE, 'utf8')) ?? [];
  const rows = table.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('\\|', '|')),
  );
}

test('each code stands in the table with its severity, what it is and what could happen', () => {
  const wanted = Object.entries(CODES).map(([code, { severity, title, risk }]) => [
    `\`${code}\``,
    severity,
    title,
    risk,
  ]);
  expect(documented()).toEqual(wanted);
});
