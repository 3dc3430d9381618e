// `signet export-review` as a pipeline meets it: a process of its own, its output, its exit code.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { jsonOf } from '../fixtures/audit-command.ts';
import { openOwnCommand, type OwnCommand } from '../fixtures/own-command.ts';
import { aFullRow, anEvent, aRow, requestId } from '../fixtures/rows.ts';

const open = (settings: 'settings' | 'planted' | 'nowhere' | 'broken') =>
  openOwnCommand(
    'sidecar/commands/export-review.ts',
    'exportReviewCommand',
    `{ settings: (await load('test/fixtures/review-settings.ts')).${settings} }`,
  );

type Attribute = { key: string; value: Record<string, unknown> };
type Request = {
  resourceSpans: { scopeSpans: { spans: { traceId: string; attributes: Attribute[] }[] }[] }[];
};

const spansIn = (out: string) =>
  jsonOf(out).flatMap(({ request }) =>
    (request as Request).resourceSpans.flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans),
    ),
  );

let review: OwnCommand;
beforeAll(async () => {
  review = await open('settings');
  const full = { ...aFullRow(), requestId: requestId(2) };
  await review.commit([aRow({}, 1), full, anEvent(), aRow({}, 3)]);
});
afterAll(() => review.stop());

describe('signet export-review', () => {
  test('prints what a destination would get as OTLP’s JSON, and says 0', async () => {
    const { code, out } = await review.run('--destination', 'traces');
    expect(code).toBe(0);
    const [span] = spansIn(out);
    expect(span).toMatchObject({
      traceId: aRow({}, 1).traceId,
      name: 'GET orders',
      kind: 2,
      startTimeUnixNano: '1795170914561234000',
    });
    expect(span?.attributes).toContainEqual({ key: 'user.id', value: { stringValue: 'alice' } });
  });

  test('prints each destination and signal', async () => {
    const lines = jsonOf((await review.run()).out);
    expect(
      lines.map(({ destination, signal }) => `${String(destination)} ${String(signal)}`),
    ).toEqual(['traces traces', 'all traces', 'all logs', 'all metrics']);
  });

  test('names the headers that go with it, and shows no value', async () => {
    const { out, err } = await review.run('--destination', 'traces');
    expect(jsonOf(out)[0]).toMatchObject({ headers: { 'x-token': '***' } });
    expect(out + err).not.toContain('never shown');
  });

  test('takes the last requests', async () => {
    const { out } = await review.run('--destination', 'traces', '--last', '1');
    expect(spansIn(out).map(({ traceId }) => traceId)).toEqual([aRow({}, 3).traceId]);
  });

  test('sums up beside the output, with what is about a person', async () => {
    const { err } = await review.run('--destination', 'traces');
    expect(err).toMatch(/^traces, traces: 5 spans in 1 requests, \d+ bytes\n/);
    expect(err).toMatch(/all of them declared and allowed\n +about a person: .*user\.id/);
  });

  test('with a list of what may leave says 1, and what is not on it', async () => {
    const list = join(review.folder, 'list.txt');
    writeFileSync(list, '# ours\nservice.name\nx-token # the vendor’s\n');
    const { code, err } = await review.run('--destination', 'traces', '--allow', list);
    expect(code).toBe(1);
    expect(err).toMatch(/! not on the list: user\.id in span\.attributes, \d+ times/);
    expect(err).not.toContain('x-token');
  });

  test('with the declared list as that list says 0, and without a header 1', async () => {
    const declared = jsonOf((await review.run('--declared', '--json')).out);
    const names = declared.map(({ name }) => String(name));
    const list = join(review.folder, 'all.txt');
    writeFileSync(list, names.join('\n'));
    expect(await review.run('--allow', list)).toMatchObject({ code: 0 });
    writeFileSync(list, names.filter((name) => name !== 'x-token').join('\n'));
    const { code, err } = await review.run('--allow', list);
    expect(code).toBe(1);
    expect(err).toContain('! not on the list: the header x-token');
  });

  test('lists everything that may leave, and which of it is about a person', async () => {
    const declared = jsonOf((await review.run('--declared')).out);
    expect(declared).toContainEqual({
      signal: 'traces',
      kind: 'attribute',
      where: 'span.attributes',
      name: 'user.id',
      personal: true,
    });
    const kinds = new Set(declared.map(({ kind }) => kind));
    const all = ['attribute', 'event', 'field', 'frame', 'header', 'label', 'metric', 'resource'];
    expect([...kinds].map(String).toSorted()).toEqual(all);
  });

  test.each([
    [['--last', '0']],
    [['--last', 'x']],
    [['--destination', 'other']],
    [['--allow', '/nonexistent']],
    [['extra']],
  ])('with %j says 64', async (args) => {
    expect(await review.run(...args)).toMatchObject({ code: 64, out: '' });
  });

  test('without a store says 66', async () => {
    expect(await review.run('--state', '/nonexistent')).toMatchObject({ code: 66, out: '' });
  });

  test('--help has examples and exit codes', async () => {
    const { code, out } = await review.run('--help');
    expect(code).toBe(0);
    expect(out).toMatch(/Examples:\n {2}\$ signet export-review[^]*Exit codes:\n/);
  });
});

test('what nobody declared ends with 1, and is said, whoever reads the output', async () => {
  const command = await open('planted');
  await command.commit([aRow({}, 1)]);
  const { code, out, err } = await command.run();
  const unread = await command.runUnread();
  await command.stop();
  expect(unread.code).toBe(1);
  expect(code).toBe(1);
  expect(err).toContain('! not declared: user.email in span.attributes, 1 times');
  expect(out).toContain('alice@example.com');
});

test('without any request says so, and 2', async () => {
  const command = await open('settings');
  const { code, out, err } = await command.run('--destination', 'traces');
  await command.stop();
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(/^There is no request yet\.\n/);
  expect(err).toContain('Nothing to review: no destination would get anything.\n');
});

test('without any destination says so, and 2', async () => {
  const command = await open('nowhere');
  await command.commit([aRow({}, 1)]);
  const { code, err } = await command.run();
  await command.stop();
  expect(code).toBe(2);
  expect(err).toContain('No destination is configured: nothing leaves.\n');
});

test('a fault of its own ends with 70, and not with the code for what nobody declared', async () => {
  const command = await open('broken');
  const { code, err } = await command.run();
  await command.stop();
  expect(code).toBe(70);
  expect(err).toBe('signet: the review came to no end: Converting circular structure to JSON\n');
});
