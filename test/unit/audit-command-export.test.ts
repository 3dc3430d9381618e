// `signet audit export`: everything that fits, in a file that is whole or not there.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { jsonOf, openCommand, type AuditCommand } from '../fixtures/audit-command.ts';
import { anEvent, aRow, STARTED_AT_US } from '../fixtures/rows.ts';
import { until } from '../fixtures/until.ts';

let audit: AuditCommand;
let file: string;
beforeEach(async () => {
  audit = await openCommand();
  file = join(audit.folder, 'out', 'rows.csv');
  mkdirSync(join(audit.folder, 'out'));
});
afterEach(() => audit.stop());

const filesThere = () => readdirSync(join(audit.folder, 'out'));

describe('signet audit export', () => {
  test('writes JSON lines to a pipe, requests and events, oldest first', async () => {
    const later = { startedAtUs: STARTED_AT_US + 1 };
    await audit.commitRows(anEvent(later, 3), aRow({}, 1), aRow({ path: '/2', ...later }, 2));
    const { code, out, err } = await audit.run('export');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(jsonOf(out).map(({ sequence }) => sequence)).toEqual([2, 3, 1]);
  });

  test('writes more rows than one page has, each once', async () => {
    await audit.commit(...Array.from({ length: 2500 }, (_, number) => number));
    const { out } = await audit.run('export');
    expect(new Set(jsonOf(out).map(({ requestId }) => requestId)).size).toBe(2500);
  });

  test('filters, also by options that stand in front of its name', async () => {
    await audit.commitRows(
      aRow({ status: 502 }, 1),
      aRow({ status: 502, route: 'b' }, 2),
      aRow({}, 3),
    );
    const { out } = await audit.run('--status', '5xx', 'export', '--route', 'b');
    expect(jsonOf(out)).toMatchObject([{ sequence: 2 }]);
  });

  test('writes CSV to a file named so, with a header, for nobody else to read', async () => {
    await audit.commit(1, 2);
    expect(await audit.run('export', '--output', file)).toEqual({ code: 0, out: '', err: '' });
    expect(readFileSync(file, 'utf8').split('\r\n')).toHaveLength(4);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('writes JSON lines to any other file, and either when asked', async () => {
    await audit.commit(1);
    const other = join(audit.folder, 'out', 'rows.txt');
    await audit.run('export', '--output', other);
    expect(jsonOf(readFileSync(other, 'utf8'))).toHaveLength(1);
    await audit.run('export', '--output', other, '--format', 'csv');
    expect(readFileSync(other, 'utf8')).toMatch(/^kind,chain,/);
  });

  test('replaces a file that is there, and leaves nothing beside it', async () => {
    writeFileSync(file, 'old', { mode: 0o644 });
    await audit.run('export', '--output', file);
    expect(readFileSync(file, 'utf8')).toMatch(/^kind,chain,[^\n]*\r\n$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(filesThere()).toEqual(['rows.csv']);
  });

  test('that is interrupted leaves no file, says 130, and keeps the one that was there', async () => {
    writeFileSync(file, 'old');
    const all = Array.from({ length: 20_000 }, (_, number) => number);
    for (let from = 0; from < all.length; from += 2000) {
      await audit.commit(...all.slice(from, from + 2000));
    }
    const { child, closed } = audit.start('export', '--output', file);
    await until('the export has begun', () => filesThere().length > 1);
    child.kill('SIGINT');
    expect(await closed).toMatchObject({ code: 130 });
    expect(filesThere()).toEqual(['rows.csv']);
    expect(readFileSync(file, 'utf8')).toBe('old');
  });

  test.each([
    ['a folder', (path: string) => mkdirSync(path)],
    ['a link', (path: string) => symlinkSync('/dev/null', path)],
  ])('never takes the place of %s, and says 73', async (_what, make) => {
    make(file);
    const { code, err } = await audit.run('export', '--output', file);
    expect(code).toBe(73);
    expect(err).toMatch(/is there, and no plain file/);
    expect(filesThere()).toEqual(['rows.csv']);
  });

  test('says 73 where there is no such folder', async () => {
    const nowhere = join(audit.folder, 'nowhere', 'rows.csv');
    expect(await audit.run('export', '--output', nowhere)).toMatchObject({ code: 73, out: '' });
  });

  test('without a store says 66, and makes no file', async () => {
    const elsewhere = join(audit.folder, 'elsewhere');
    const { code } = await audit.run('export', '--state', elsewhere, '--output', file);
    expect(code).toBe(66);
    expect(existsSync(file)).toBe(false);
  });

  test('with wrong options names all of them, and says 2', async () => {
    const { code, err } = await audit.run('export', '--since', 'then', '--kind', 'x');
    expect(code).toBe(2);
    expect(err.match(/^(error: )?--(since|kind): read/gm)).toHaveLength(2);
  });
});
