// What `signet doctor` says of the record, of the sidecar's own word, and how it puts it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { doctorJson, lineText, summaryText } from '../../sidecar/commands/doctor-text.ts';
import { parseSite } from '../../sidecar/commands/doctor-url.ts';
import { awaitRow } from '../../sidecar/doctor/evidence.ts';
import { judgeHealth } from '../../sidecar/doctor/health.ts';
import { lookAtLacking } from '../../sidecar/doctor/lacking.ts';
import { lookAtLog } from '../../sidecar/doctor/log-file.ts';
import { withinMsOf } from '../../sidecar/doctor/examine-record.ts';
import { judgeCapitals, judgeRecord, judgeSpoofedRow } from '../../sidecar/doctor/record.ts';
import { spoofOf } from '../../sidecar/doctor/spoofed.ts';
import { aRow } from '../fixtures/rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'signet-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ID = '4d032074-7bbc-4e5d-964f-a0f15a34b6f6';

describe('the row of the request', () => {
  test('that is there is well, with what was decided', () => {
    const row = aRow({ decision: 'login', reason: 'no-credentials', route: 'orders' });
    expect(judgeRecord({ row, afterMs: 400 }, () => undefined)).toMatchObject({
      verdict: 'well',
      seen: expect.stringContaining('0.4 s later, login (no-credentials) on orders'),
    });
  });

  test.each([
    ['warning', aRow(), 6000],
    ['wrong', aRow({ reason: 'stamp-invalid', decision: 'none' }), 400],
    ['wrong', aRow({ kind: 'unexplained', reason: 'unexplained', decision: 'none' }), 400],
  ])('is %s', (verdict, row, afterMs) => {
    expect(judgeRecord({ row, afterMs }, () => undefined).verdict).toBe(verdict);
  });

  test('of a block that is open on purpose is well, and says so', () => {
    const open = aRow({ reason: 'unprotected', decision: 'none', route: 'landing' });
    expect(judgeRecord({ row: open, afterMs: 400 }, () => undefined)).toMatchObject({
      verdict: 'well',
      seen: expect.stringContaining('on landing: open on purpose, by `import unprotected`'),
    });
  });

  test('is waited for until it comes', async () => {
    let looks = 0;
    const rows = async () => (++looks < 3 ? [] : [{ ...aRow(), sequence: 1, hash: '', chain: '' }]);
    const found = await awaitRow({ rows }, ID, { sentAtMs: Date.now(), tell: () => undefined });
    expect(found).toMatchObject({ row: { kind: 'request' } });
  });

  test('that does not come is missing after the time, and not before', async () => {
    const found = await awaitRow({ rows: async () => [] }, ID, {
      ...{ sentAtMs: 0, tell: () => undefined, withinMs: 300 },
    });
    expect(found).toMatchObject({ missing: true });
    expect('waitedMs' in found && found.waitedMs).toBeGreaterThan(300);
  });

  test('of a store that fails is told with the fault', async () => {
    const rows = () => Promise.reject(new Error('disk I/O error'));
    const found = await awaitRow({ rows }, ID, { sentAtMs: 0, tell: () => undefined });
    expect(found).toEqual({ problem: 'disk I/O error' });
  });
});

describe('without the row', () => {
  const path = join(folder, 'access.log');
  const cause = () =>
    judgeRecord({ missing: true, waitedMs: 15_000 }, () => lookAtLog(path, ID)).seen;

  test('no log is named', () => {
    expect(cause()).toContain('there is no log where the settings look for it');
  });

  test('a log without the request is another one than Caddy writes', () => {
    writeFileSync(path, '{"uuid":"another"}\n');
    expect(cause()).toContain('Caddy has not logged it there');
  });

  test('a log with the request is not followed', () => {
    writeFileSync(path, `${'{"uuid":"another"}\n'.repeat(1000)}{"uuid":"${ID}"}\n`);
    expect(cause()).toContain('Caddy has logged it');
  });

  test('what the recorder says of itself is the cause, with its own mend', () => {
    const recorder = `The access log can't be read: EACCES. ${'x'.repeat(200)} folder 0750, log 0640`;
    const judged = judgeRecord(
      { missing: true, waitedMs: 2000 },
      () => lookAtLog(path, ID),
      recorder,
    );
    expect(judged.seen).toContain(`Caddy has logged it, and the recorder says: ${recorder}`);
    expect(judged.mend).not.toContain('does `signet serve` run');
  });

  test('a folder, or what leads nowhere, is no log', () => {
    expect(lookAtLog(folder, ID)).toEqual({ is: 'no-file' });
    expect(lookAtLog(join(path, 'x'), ID)).toEqual({ is: 'unreadable', why: 'ENOTDIR' });
  });
});

describe('the row of a request to the host in capitals', () => {
  const host = 'APP.EXAMPLE.COM';

  test('that is there is well', () => {
    expect(judgeCapitals(host, { row: aRow(), afterMs: 1 })).toMatchObject({ verdict: 'well' });
  });

  test('that is not is wrong, and the snippets are to be taken over anew', () => {
    expect(judgeCapitals(host, { missing: true, waitedMs: 1000 })).toMatchObject({
      verdict: 'wrong',
      seen: expect.stringContaining(`a request to ${host} has no row`),
      mend: expect.stringContaining('`signet snippet`'),
    });
  });

  test('is not looked for where nobody of Signet answered it', () => {
    expect(judgeCapitals(host, undefined).verdict).toBe('not-looked-at');
  });
});

describe('how long a row is waited for', () => {
  test.each([
    [15_000, { status: 'ready', checks: { recorder: { ok: true } } }],
    [15_000, { status: 'degraded', checks: { provider: { ok: false, problem: 'is away' } } }],
    [2000, { status: 'degraded', checks: { recorder: { ok: false, problem: 'EACCES' } } }],
    [2000, { problem: 'nothing listens there' }],
    [15_000, undefined],
  ] as const)('is %d ms where /readyz says %j', (withinMs, health) => {
    expect(withinMsOf(health)).toBe(withinMs);
  });
});

describe('the row of headers that a client made up', () => {
  const spoof = spoofOf('0123456789abcdef0123456789abcdef');
  const { identity: _, ...signedOut } = aRow({ decision: 'login', reason: 'no-credentials' });
  const judged = (row: ReturnType<typeof aRow>) => judgeSpoofedRow({ row, afterMs: 1 }, spoof);

  test('without a user is well', () => {
    expect(judged(signedOut).verdict).toBe('well');
  });

  test('with any user is wrong', () => {
    expect(judged(aRow())).toMatchObject({ verdict: 'wrong' });
  });

  test('with the client’s id or path is wrong, and names the header', () => {
    const requestId = spoof.marks.get('X-Request-Id') ?? '';
    expect(judged({ ...signedOut, requestId }).seen).toContain('X-Request-Id of a client');
    const path = spoof.headers['X-Forwarded-Uri'] ?? '';
    expect(judged({ ...signedOut, path }).seen).toContain('X-Forwarded-Uri of a client');
  });

  test('with the client’s trace is a warning', () => {
    expect(judged({ ...signedOut, traceId: spoof.traceId }).verdict).toBe('warning');
  });
});

describe('how the sidecar stands', () => {
  const judged = (answer: Parameters<typeof judgeHealth>[1]) =>
    judgeHealth('127.0.0.1:9465', answer, '0.1.0').map(({ verdict }) => verdict);
  const FULL = { ok: false, problem: 'the disk is full' };

  test.each([
    [['well', 'well'], { status: 'ready', version: '0.1.0', checks: {} }],
    [['warning', 'well'], { status: 'degraded', version: '0.1.0', checks: { recorder: FULL } }],
    [['wrong', 'warning'], { status: 'unready', version: '0.2.0', checks: { sessions: FULL } }],
    [['well', 'warning'], { status: 'ready', checks: {} }],
    [['wrong', 'not-looked-at'], { problem: 'nothing listens there' }],
  ] as const)('is %j', (verdicts, answer) => {
    expect(judged(answer)).toEqual(verdicts);
  });
});

describe('what is not here', () => {
  const why = 'the settings are not here';

  test('is one line, which names all that was therefore not looked at', () => {
    const lines = lookAtLacking({ record: { why }, installed: { why }, sending: { why } });
    expect(lines.map(({ seen }) => seen)).toEqual([
      `${why}: record, readiness, versions, providers and destinations were not looked at`,
    ]);
  });

  test('for another reason has a line of its own', () => {
    const lines = lookAtLacking({
      ...{ record: { why: 'no such folder' }, installed: { why }, sending: { why } },
    });
    expect(lines.map(({ name }) => name)).toEqual(['record', 'settings']);
  });
});

describe('the URL', () => {
  const problemOf = (text: string) => {
    const url = parseSite(text);
    return 'problem' in url ? url.problem : 'none';
  };

  test.each(['app.example.com', 'app.example.com/x', 'localhost:8443/orders'])(
    '%s is told to lack its scheme, with what is meant',
    (text) => {
      expect(problemOf(text)).toContain(`${text} lacks its scheme`);
      expect(problemOf(text)).toContain(`like ${new URL(`https://${text}`).href}`);
    },
  );

  test.each(['ftp://app.example.com/', 'https://', '', 'me:secret@app.example.com'])(
    '%s is told what is allowed',
    (text) => {
      expect(problemOf(text)).toMatch(/^allowed is a URL that begins with https:\/\/ or http:\/\//);
    },
  );

  test('with a password is refused, and not told again', () => {
    expect(problemOf('https://me:secret@app.example.com/')).not.toMatch(/none|secret/);
  });
});

describe('how it is put', () => {
  const LINE = {
    name: 'server',
    verdict: 'wrong',
    seen: 'says \u001b[2J\u202e',
    mend: 'look',
  } as const;

  test('on a terminal nothing is obeyed, and the mend stands below', () => {
    const text = lineText(LINE, { width: 80, colour: false });
    expect(text).toContain('says \\x1b[2J\\u202e');
    expect(text).not.toContain('\u001b');
    expect(text.split('\n')[1]).toMatch(/^ +→ look$/);
  });

  test('in JSON neither, and the values are the same', () => {
    const json = doctorJson('https://app.example.com/', '0.1.0', [LINE]);
    expect(json).not.toContain('\u001b');
    expect(JSON.parse(json)).toEqual({
      ...{ url: 'https://app.example.com/', version: '0.1.0', ok: false, lines: [LINE] },
    });
  });

  test('the last line counts', () => {
    expect(summaryText([LINE, LINE])).toBe('\n0 well, 0 warnings, 2 wrong, 0 not looked at.\n');
  });
});
