// `signet audit` as its users meet it: a process of its own, its output, its exit code.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAuditStore, type AuditStore } from '../../sidecar/audit/store.ts';
import { aRow, CHECKPOINT, requestId } from '../fixtures/rows.ts';

let folder: string;
let store: AuditStore;
const children: { kill(signal: 'SIGKILL'): boolean }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-audit-'));
  store = openAuditStore(join(folder, 'audit.db'));
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  store.close();
  rmSync(folder, { recursive: true });
});

function commit(...numbers: number[]): void {
  const rows = numbers.map((number) => aRow({ path: `/${number}` }, number));
  store.commit({ rows, setAside: [], checkpoint: CHECKPOINT });
}

function start(...args: string[]) {
  const command = new URL('../../sidecar/audit/command.ts', import.meta.url);
  const spans = new URL('../../sidecar/trace/spans.ts', import.meta.url);
  const script = `
    import { auditCommand } from ${JSON.stringify(command.href)};
    import { spansOf } from ${JSON.stringify(spans.href)};
    const parts = { defaultState: () => ${JSON.stringify(folder)}, spansOf };
    await auditCommand(parts).parseAsync(process.argv.slice(1), { from: 'user' });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, '--', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let out = '';
  let err = '';
  let wake = () => {};
  child.stdout.on('data', (text: Buffer) => {
    out += text.toString();
    wake();
  });
  child.stderr.on('data', (text: Buffer) => (err += text.toString()));
  const closed = once(child, 'close').then(([code]) => ({ code: code as number, out, err }));
  async function printed(text: string): Promise<void> {
    while (!out.includes(text)) {
      await Promise.race([
        new Promise<void>((resolve) => (wake = resolve)),
        closed.then(() => Promise.reject(new Error(`ended without printing ${text}: ${err}`))),
      ]);
    }
  }
  return { child, closed, printed };
}

const run = (...args: string[]) => start(...args).closed;

const jsonOf = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { path: string });

describe('signet audit', () => {
  test('lists as JSON lines on a pipe, newest last', async () => {
    commit(1, 2, 3);
    const { code, out } = await run('--user', 'alice,bob', '--user', 'carol');
    expect(code).toBe(0);
    expect(jsonOf(out).map(({ path }) => path)).toEqual(['/1', '/2', '/3']);
  });

  test('lists as a table when asked, without colours on a pipe', async () => {
    commit(1);
    const { out } = await run('--format', 'table');
    expect(out).toMatch(/^TIME .*\n.* alice .*\n$/);
    expect(out).not.toContain('\u001b');
  });

  test('prints nothing, and says 0, when no row is like that', async () => {
    commit(1);
    expect(await run('--user', 'nobody')).toEqual({ code: 0, out: '', err: '' });
  });

  test('takes the state folder that is named', async () => {
    const { code, err } = await run('--state', join(folder, 'elsewhere'));
    expect(code).toBe(66);
    expect(err).toMatch(/There is no audit store at .*elsewhere.* yet/);
  });

  test('with wrong options names all of them, and says 2', async () => {
    const { code, out, err } = await run('--type', 'robot', '--status', 'x', '--since', 'then');
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err.match(/^(error: )?--(type|status|since): read/gm)).toHaveLength(3);
  });

  test.each([[['--nonsense']], [['--format', 'xml']], [['extra']], [['show']]])(
    'with %j says 2',
    async (args) => {
      expect(await run(...args)).toMatchObject({ code: 2, out: '' });
    },
  );

  test('--help has examples and exit codes', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    expect(out).toMatch(/Examples:[^]*--user alice --since 1h[^]*Exit codes:[^]*66/);
  });

  test('of a damaged store says so', async () => {
    store.close();
    writeFileSync(join(folder, 'audit.db'), 'garbage '.repeat(600));
    const { code, err } = await run();
    expect(code).not.toBe(0);
    expect(err).toMatch(/is damaged/);
    rmSync(join(folder, 'audit.db'));
    store = openAuditStore(join(folder, 'audit.db'));
  });

  test('ends quietly when its reader has seen enough', async () => {
    commit(...Array.from({ length: 5000 }, (_, number) => number));
    const { child, closed } = start();
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect(await closed).toMatchObject({ code: 0, err: '' });
  });
});

describe('signet audit --follow', () => {
  test('prints the newest rows, then each new one, until it is interrupted', async () => {
    commit(1);
    const { child, closed, printed } = start('--follow', '--format', 'line');
    await printed('/1 ');
    commit(2, 3);
    await printed('/3 ');
    child.kill('SIGINT');
    const { code, out, err } = await closed;
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.trim().split('\n')).toHaveLength(3);
  });

  test('filters what it prints', async () => {
    const { child, closed, printed } = start('--follow', '--status', '5xx');
    commit(1);
    store.commit({ rows: [aRow({ status: 502 }, 2)], setAside: [], checkpoint: CHECKPOINT });
    await printed('502');
    child.kill('SIGINT');
    expect(jsonOf((await closed).out)).toHaveLength(1);
  });
});

describe('signet audit show', () => {
  test('prints one request with its spans, by request id or trace id', async () => {
    commit(1, 2);
    const id = requestId(2);
    const [byRequest, byTrace] = await Promise.all([
      run('show', id),
      run('show', id.replaceAll('-', '').toUpperCase()),
    ]);
    expect(byRequest).toMatchObject({ code: 0, err: '' });
    expect(byRequest.out).toMatch(/^Request +4d032074-7bbc-4e5d-964f-000000000002$/m);
    expect(byRequest.out).toMatch(/^GET orders +server +█+/m);
    expect(byTrace.out).toBe(byRequest.out);
  });

  test('prints JSON when asked', async () => {
    commit(1);
    const { out } = await run('show', requestId(1), '--format', 'json');
    expect(jsonOf(out)).toMatchObject([{ path: '/1' }]);
  });

  test('says 1 for an id that is not there, and 2 for what is no id', async () => {
    commit(1);
    expect(await run('show', requestId(7))).toMatchObject({ code: 1, out: '' });
    const { code, err } = await run('show', 'alice');
    expect(code).toBe(2);
    expect(err).toMatch(/read "alice"; allowed is a request id or a trace id/);
  });
});
