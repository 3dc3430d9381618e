// `signet audit` as people run it, while the record is being written: a child process beside the
// sidecar that writes, and fifty requests a second through a real Caddy.
import { spawn } from 'node:child_process';
import { setInterval } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startEdge, type Edge, type Reply } from '../fixtures/edge.ts';
import { BIN } from '../fixtures/sidecar.ts';
import { until } from '../fixtures/until.ts';

const REQUESTS = 150;
const REQUESTS_PER_SECOND = 50;
const SITE = `
	handle {
		import protect orders any {
			reverse_proxy APP
		}
	}`;

type AuditLine = { readonly requestId: string; readonly user?: string };

let edge: Edge;
let alice: string;
let bob: string;
beforeAll(async () => {
  edge = await startEdge(SITE);
  [alice, bob] = [await edge.signIn('alice'), await edge.signIn('bob')];
});
afterAll(async () => edge.stop());

/** Starts `signet audit` with its output on a pipe. */
function startAudit(...options: string[]) {
  const child = spawn(process.execPath, [BIN, 'audit', '--state', edge.folder, ...options], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, errors] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { out: () => out, errors: () => errors, code, interrupt: () => child.kill('SIGINT') };
}

async function audit(...options: string[]): Promise<string> {
  const { code, out, errors } = startAudit(...options);
  expect({ code: await code, errors: errors() }).toEqual({ code: 0, errors: '' });
  return out();
}

function linesOf(out: string): AuditLine[] {
  const lines = out.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as AuditLine);
}

const auditOfAlice = async () => linesOf(await audit('--user', 'alice', '--since', '1h'));

/** Alice, bob and somebody signed out in turn, at an even pace; at least so many, and until it is enough of them. */
async function load(isEnough: (sent: number) => boolean): Promise<Reply[]> {
  const callers = [[alice], [bob], []];
  const replies: Promise<Reply>[] = [];
  for await (const _ of setInterval(1000 / REQUESTS_PER_SECOND)) {
    const n = replies.length;
    replies.push(edge.send(`/orders/${n}`, callers[n % callers.length]));
    if (replies.length >= REQUESTS && isEnough(replies.length)) return Promise.all(replies);
  }
  throw new Error('unreachable');
}

test('`signet audit --user alice --since 1h` answers while fifty requests a second are written', async () => {
  const before = (await auditOfAlice()).length;
  let isLoading = true;
  const counts: number[] = [before];
  // However long a command takes to start here, some come while it goes on.
  const isAmong = (sent: number) => (count: number) => count > before && count < before + sent / 3;
  const loading = load((sent) => counts.length > 3 && counts.some(isAmong(sent))).finally(
    () => (isLoading = false),
  );
  while (isLoading) {
    const lines = await auditOfAlice();
    expect(new Set(lines.map(({ user }) => user))).toEqual(new Set(['alice']));
    expect(new Set(lines.map(({ requestId }) => requestId)).size).toBe(lines.length);
    counts.push(lines.length);
  }
  const hers = (await loading).filter((_, n) => n % 3 === 0).map(({ requestId }) => requestId);

  expect(counts.length).toBeGreaterThan(3);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect(counts.filter(isAmong(3 * hers.length))).not.toEqual([]);
  await until('the last row', () => edge.rows().length >= edge.logLines().length);
  const listed = (await auditOfAlice()).map(({ requestId }) => requestId);
  expect(listed.slice(before).toSorted()).toEqual(hers.toSorted());
});

test('--follow shows a new row as it comes, and ends with 0 when interrupted', async () => {
  const { requestId: earlier } = await edge.send('/orders/earlier', [alice]);
  await edge.row(earlier);
  const following = startAudit('--user', 'alice', '--follow');
  await until('what was there already', () => following.out().includes(earlier));
  const { requestId: others } = await edge.send('/orders/others', [bob]);
  const { requestId: hers } = await edge.send('/orders/hers', [alice]);
  await until('the new row', () => following.out().includes(hers));
  following.interrupt();
  expect(await following.code).toBe(0);
  expect(linesOf(following.out()).at(-1)).toMatchObject({ requestId: hers, user: 'alice' });
  expect(following.out()).not.toContain(others);
});

test('audit show tells who, what and the decision, by request id and by trace id', async () => {
  const { requestId } = await edge.send('/orders/shown', [alice]);
  const { traceId } = await edge.row(requestId);
  const tree = await audit('show', requestId);
  for (const part of [
    'alice',
    'payments',
    '/orders/shown',
    'allow',
    'requirement-met',
    requestId,
  ]) {
    expect(tree).toContain(part);
  }
  for (const { name } of await edge.spans(requestId, 3)) expect(tree).toContain(name);
  expect(await audit('show', traceId)).toBe(tree);
  expect(linesOf(await audit('show', traceId, '--format', 'json'))).toMatchObject([{ requestId }]);
});
