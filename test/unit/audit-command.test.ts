// `signet audit` as its users meet it: a process of its own, its output, its exit code.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonOf, openCommand, type AuditCommand } from '../fixtures/audit-command.ts';
import { anEvent, aRow, requestId, STARTED_AT_US } from '../fixtures/rows.ts';

let audit: AuditCommand;
beforeEach(async () => void (audit = await openCommand()));
afterEach(() => audit.stop());

const pathsOf = (out: string) => jsonOf(out).map(({ path }) => path);

describe('signet audit', () => {
  test('lists as JSON lines on a pipe, newest last', async () => {
    await audit.commit(1, 2, 3);
    const { code, out } = await audit.run('--user', 'alice,bob', '--user', 'carol');
    expect(code).toBe(0);
    expect(pathsOf(out)).toEqual(['/1', '/2', '/3']);
  });

  test('lists as a table when asked, without colours on a pipe', async () => {
    await audit.commit(1);
    const { out } = await audit.run('--format', 'table');
    expect(out).toMatch(/^TIME .*\n.* alice .*\n$/);
    expect(out).not.toContain('\u001b');
  });

  test('lists requests and events together, and one sort when asked', async () => {
    await audit.commitRows(aRow({}, 1), anEvent({}, 2));
    const kinds = async (...args: string[]) =>
      jsonOf((await audit.run(...args)).out).map(({ kind }) => kind);
    expect(await kinds()).toEqual(['request', 'event']);
    expect(await kinds('--kind', 'event')).toEqual(['event']);
    expect(await kinds('--event', 'sign-out')).toEqual([]);
  });

  test('lists as CSV when asked: a header, records that end as RFC 4180 says', async () => {
    await audit.commit(1, 2);
    const { out } = await audit.run('--format', 'csv');
    expect(out.split('\r\n')).toHaveLength(4);
    expect(out).toMatch(/^kind,chain,sequence,/);
  });

  test('prints nothing, and says 0, when no row is like that', async () => {
    await audit.commit(1);
    expect(await audit.run('--user', 'nobody')).toEqual({ code: 0, out: '', err: '' });
  });

  test('takes the state folder that is named', async () => {
    const { code, err } = await audit.run('--state', join(audit.folder, 'elsewhere'));
    expect(code).toBe(66);
    expect(err).toMatch(/There is no audit store at .*elsewhere.* yet/);
  });

  test('with wrong options names all of them, and says 2', async () => {
    const { code, out, err } = await audit.run(
      '--type',
      'robot',
      '--after',
      'x',
      '--since',
      'then',
    );
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err.match(/^(error: )?--(type|after|since): read/gm)).toHaveLength(3);
  });

  test.each([[['--nonsense']], [['--format', 'xml']], [['extra']], [['show']]])(
    'with %j says 2',
    async (args) => {
      expect(await audit.run(...args)).toMatchObject({ code: 2, out: '' });
    },
  );

  test.each([[[]], [['show']], [['export']]])(
    '%j --help has examples and exit codes',
    async (args) => {
      const { code, out } = await audit.run(...args, '--help');
      expect(code).toBe(0);
      expect(out).toMatch(/Examples:\n {2}\$ signet audit [^]*Exit codes:\n {2}0 [^]*\n {2}66 /);
    },
  );

  test('of a damaged store says so', async () => {
    writeFileSync(join(audit.folder, 'other.db'), 'garbage '.repeat(600));
    const other = await openCommand({ path: join(audit.folder, 'other.db') });
    const { code, err } = await other.run();
    await other.stop();
    expect(code).not.toBe(0);
    expect(err).toMatch(/is damaged/);
  });

  test('of a database that does not answer says 69', async () => {
    const url = 'postgres://signet:secret@127.0.0.1:1/audit?connect_timeout=1';
    const other = await openCommand({ url });
    const { code, err } = await other.run();
    await other.stop();
    expect(code).toBe(69);
    expect(err).toMatch(/127\.0\.0\.1/);
    expect(err).not.toContain('secret');
  });

  test('ends quietly when its reader has seen enough', async () => {
    await audit.commit(...Array.from({ length: 5000 }, (_, number) => number));
    const { child, closed } = audit.start();
    await once(child.stdout!, 'data');
    child.stdout!.destroy();
    expect(await closed).toMatchObject({ code: 0, err: '' });
  });
});

describe('signet audit --limit', () => {
  test('lists the newest', async () => {
    await audit.commit(1, 2, 3);
    const { out, err } = await audit.run('--limit', '2');
    expect(pathsOf(out)).toEqual(['/2', '/3']);
    expect(err).toBe('');
  });

  test('with --after lists pages from the oldest on, and tells the key of the next', async () => {
    await audit.commit(1, 2, 3, 4, 5);
    const paged: unknown[] = [];
    for (let after = 'start'; after !== '';) {
      const { out, err } = await audit.run('--limit', '2', '--after', after);
      paged.push(pathsOf(out));
      after = /^next: (\S+)\n$/.exec(err)?.[1] ?? '';
    }
    expect(paged).toEqual([['/1', '/2'], ['/3', '/4'], ['/5']]);
  });

  test('tells no key where the last page is full', async () => {
    await audit.commit(1, 2);
    expect(await audit.run('--limit', '2', '--after', 'start')).toMatchObject({ err: '' });
  });
});

describe('signet audit --by', () => {
  const day = { startedAtUs: STARTED_AT_US - 86_400_000_000 };

  test('counts requests as JSON lines on a pipe, the largest group first', async () => {
    await audit.commitRows(
      aRow({ route: 'b' }, 1),
      aRow({ route: 'a' }, 2),
      aRow({ route: 'a' }, 3),
    );
    const { code, out } = await audit.run('--by', 'route');
    expect(code).toBe(0);
    expect(jsonOf(out)).toMatchObject([
      { route: 'a', requests: 2, p50Ms: 12.345 },
      { route: 'b', requests: 1 },
    ]);
  });

  test('filters, and gives no more groups than asked for', async () => {
    await audit.commitRows(aRow({ route: 'b', ...day }, 1), aRow({}, 2), aRow({ route: 'c' }, 3));
    const { out } = await audit.run(
      '--by',
      'route',
      '--since',
      '2026-11-20T10:00Z',
      '--limit',
      '1',
    );
    expect(jsonOf(out)).toMatchObject([{ route: 'c' }]);
  });

  test.each([
    ['table', /^TEAM +REQUESTS +ERRORS +DENIED +P50 MS +P95 MS +P99 MS\npayments +1 +0 +0 +12\.3 /],
    ['line', /^payments +1 +0 /],
    ['csv', /^team,requests,errors,denied,p50Ms,p95Ms,p99Ms\r\npayments,1,0,0,12\.345,/],
  ])('prints %s when asked', async (format, expected) => {
    await audit.commit(1);
    const { out } = await audit.run('--by', 'team', '--format', format);
    expect(out).toMatch(expected);
  });
});

describe('signet audit --follow', () => {
  test('prints the newest rows, then each new one, until it is interrupted', async () => {
    await audit.commit(1);
    const { child, closed, printed } = audit.start('--follow', '--format', 'line');
    await printed('/1 ');
    await audit.commit(2, 3);
    await printed('/3 ');
    child.kill('SIGINT');
    const { code, out, err } = await closed;
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.trim().split('\n')).toHaveLength(3);
  });

  test('filters what it prints', async () => {
    const { child, closed, printed } = audit.start('--follow', '--status', '5xx');
    await audit.commit(1);
    await audit.commitRows(aRow({ status: 502 }, 2));
    await printed('502');
    child.kill('SIGINT');
    expect(jsonOf((await closed).out)).toHaveLength(1);
  });
});

describe('signet audit show', () => {
  test('prints one request with its spans, by request id or trace id', async () => {
    await audit.commit(1, 2);
    const id = requestId(2);
    const [byRequest, byTrace] = await Promise.all([
      audit.run('show', id),
      audit.run('show', id.replaceAll('-', '').toUpperCase()),
    ]);
    expect(byRequest).toMatchObject({ code: 0, err: '' });
    expect(byRequest.out).toMatch(/^Request +4d032074-7bbc-4e5d-964f-000000000002$/m);
    expect(byRequest.out).toMatch(/^GET orders +server +█+/m);
    expect(byTrace.out).toBe(byRequest.out);
  });

  test('prints a request with the events of its trace, one below the other', async () => {
    await audit.commitRows(aRow({}, 1), anEvent({ startedAtUs: STARTED_AT_US + 5 }, 1));
    const { out } = await audit.run('show', requestId(1));
    expect(out).toMatch(/^Request [^]*\n\nEvent +sign-in, SIG-101\n/);
  });

  test('prints an event by its own id', async () => {
    await audit.commitRows(
      anEvent({ kind: 'lost', event: 'decision-lost', requestId: 'decision-lost:B:7' }),
    );
    const { code, out } = await audit.run('show', 'decision-lost:B:7');
    expect(code).toBe(0);
    expect(out).toMatch(/^Lost +decision-lost, SIG-303\nId +decision-lost:B:7\n/);
  });

  test('prints JSON when asked, also in front of its name', async () => {
    await audit.commit(1);
    const { out } = await audit.run('show', requestId(1), '--format', 'json');
    expect(jsonOf(out)).toMatchObject([{ path: '/1' }]);
    expect(await audit.run('--format', 'json', 'show', requestId(1))).toMatchObject({ out });
  });

  test('says 1 for an id that is not there, and 2 for what is no id', async () => {
    await audit.commit(1);
    expect(await audit.run('show', requestId(7))).toMatchObject({ code: 1, out: '' });
    const { code, err } = await audit.run('show', 'alice');
    expect(code).toBe(2);
    expect(err).toMatch(/read "alice"; allowed is a request id or a trace id/);
  });
});
