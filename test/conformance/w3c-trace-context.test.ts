// W3C Trace Context: the official suite (github.com/w3c/trace-context, test/test.py, at its STRICT_LEVEL
// 2) against what the gate gives to the app, over HTTP. Its `TraceContextTest.test_x` is the test `x` here,
// with the same headers and the same expectations; a case of several requests is a row for each.
//
// Its harness asks a service to call it back. Signet calls an app once for each request, so `count` of
// AdvancedTest is as many requests:
//   test_multiple_requests_with_valid_traceparent    multiple_requests_with_valid_traceparent
//   test_multiple_requests_without_traceparent       multiple_requests_without_traceparent
//   test_multiple_requests_with_illegal_traceparent  multiple_requests_with_illegal_traceparent
// Does not apply: tracecontext/test_traceparent.py and test_tracestate.py, which test the harness's own
// Python classes. Cases that Caddy has a part in are in test/e2e/w3c-trace-context.test.ts, too.
import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createSidecarServer } from '../../sidecar/http/server.ts';
import { createTestGate, fromCaddy, type TestGate } from '../fixtures/gate.ts';

const TRACE = '12345678901234567890123456789012';
const SPAN = '1234567890123456';
const SAMPLED = `00-${TRACE}-${SPAN}-01`;
const VALID = `00-${TRACE}-${SPAN}-00`;

/** Name and value, in this order, as often as they stand here. */
type Lines = readonly (readonly [string, string])[];

let gate: TestGate;
let server: ReturnType<typeof createSidecarServer>;
beforeAll(async () => {
  gate = createTestGate({ trust: 'always' });
  server = createSidecarServer(gate.app).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
  await gate.close();
});

type Context = {
  readonly traceId: string;
  readonly parentId: string;
  /** The list's members, in order; none where there is no header. */
  readonly tracestate: readonly (readonly [string, string])[];
};

/** Returns what the app gets; it fails unless there is one `traceparent`, and that is valid. */
async function contextOf(lines: Lines): Promise<Context> {
  const { port } = server.address() as AddressInfo;
  const headers = [...Object.entries(fromCaddy()), ...lines].flat();
  const path = '/verify?route=orders&require=public';
  // As a plain list Node sends them as they are, and no `Host` of its own.
  const sent = request({ port, path, headers: ['Host', '127.0.0.1', ...headers] }).end();
  const [answer] = await once(sent, 'response');
  answer.resume();
  expect(answer.statusCode).toBe(204);
  const { traceparent, tracestate = [] } = answer.headersDistinct;
  expect(traceparent).toHaveLength(1);
  expect(traceparent[0]).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[0-3]$/);
  const [, traceId, parentId] = traceparent[0].split('-');
  return { traceId, parentId, tracestate: membersOf(tracestate.join(',')) };
}

function membersOf(list: string): Context['tracestate'] {
  const members = list === '' ? [] : list.split(',');
  return members.map((member) => {
    const equals = member.indexOf('=');
    return [member.slice(0, equals), member.slice(equals + 1)];
  });
}

const withTraceparents = (...values: string[]): Lines =>
  values.map((value) => ['traceparent', value]);
const withTracestates = (...values: string[]): Lines => [
  ['traceparent', VALID],
  ...values.map((value) => ['tracestate', value] as const),
];

describe('traceparent', () => {
  test('both_traceparent_and_tracestate_missing', async () => {
    expect((await contextOf([])).tracestate).toEqual([]);
  });

  test('traceparent_included_tracestate_missing', async () => {
    const { traceId, parentId } = await contextOf(withTraceparents(SAMPLED));
    expect(traceId).toBe(TRACE);
    expect(parentId).not.toBe(SPAN);
  });

  test('traceparent_duplicated', async () => {
    const other = SAMPLED.replace(TRACE, '12345678901234567890123456789011');
    const { traceId } = await contextOf(withTraceparents(other, SAMPLED));
    expect([TRACE, '12345678901234567890123456789011']).not.toContain(traceId);
  });

  test.each(['trace-parent', 'trace.parent'])('traceparent_header_name: %s', async (name) => {
    expect((await contextOf([[name, SAMPLED]])).traceId).not.toBe(TRACE);
  });

  test.each(['TraceParent', 'TrAcEpArEnT', 'TRACEPARENT'])(
    'traceparent_header_name_valid_casing: %s',
    async (name) => expect((await contextOf([[name, SAMPLED]])).traceId).toBe(TRACE),
  );

  test.each([
    ['version_0xcc', `cc-${TRACE}-${SPAN}-01`],
    ['version_0xcc', `cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`],
    ['ows_handling', ` ${SAMPLED}`],
    ['ows_handling', `\t${SAMPLED}`],
    ['ows_handling', `${SAMPLED} `],
    ['ows_handling', `${SAMPLED}\t`],
    ['ows_handling', `\t ${SAMPLED} \t`],
  ])('traceparent_%s: %j goes on', async (_, value) => {
    expect((await contextOf(withTraceparents(value))).traceId).toBe(TRACE);
  });

  test.each([
    ['version_0x00', `${SAMPLED}.`],
    ['version_0x00', `${SAMPLED}-what-the-future-will-be-like`],
    ['version_0xcc', `cc-${TRACE}-${SPAN}-01.what-the-future-will-be-like`],
    ['version_0xff', `ff-${TRACE}-${SPAN}-01`],
    ['version_illegal_characters', `.0-${TRACE}-${SPAN}-01`],
    ['version_illegal_characters', `0.-${TRACE}-${SPAN}-01`],
    ['version_too_long', `000-${TRACE}-${SPAN}-01`],
    ['version_too_long', `0000-${TRACE}-${SPAN}-01`],
    ['version_too_short', `0-${TRACE}-${SPAN}-01`],
    ['trace_id_all_zero', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['trace_id_illegal_characters', `00-.2345678901234567890123456789012-${SPAN}-01`],
    ['trace_id_illegal_characters', `00-1234567890123456789012345678901.-${SPAN}-01`],
    ['trace_id_too_long', `00-${TRACE}3-${SPAN}-01`],
    ['trace_id_too_short', `00-1234567890123456789012345678901-${SPAN}-01`],
    ['parent_id_all_zero', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['parent_id_illegal_characters', `00-${TRACE}-.234567890123456-01`],
    ['parent_id_illegal_characters', `00-${TRACE}-123456789012345.-01`],
    ['parent_id_too_long', `00-${TRACE}-12345678901234567-01`],
    ['parent_id_too_short', `00-${TRACE}-123456789012345-01`],
    ['trace_flags_illegal_characters', `00-${TRACE}-${SPAN}-.0`],
    ['trace_flags_illegal_characters', `00-${TRACE}-${SPAN}-0.`],
    ['trace_flags_too_long', `00-${TRACE}-${SPAN}-001`],
    ['trace_flags_too_short', `00-${TRACE}-${SPAN}-1`],
  ])('traceparent_%s: %j begins anew', async (_, value) => {
    const { traceId } = await contextOf(withTraceparents(value));
    const parts = [TRACE, '0'.repeat(32), '23456789012345678901234567890123'];
    expect(parts).not.toContain(traceId);
  });
});

describe('tracestate', () => {
  test('tracestate_included_traceparent_missing', async () => {
    expect((await contextOf([['tracestate', 'foo=1']])).tracestate).toEqual([]);
    expect((await contextOf([['tracestate', 'foo=1,bar=2']])).tracestate).toEqual([]);
  });

  test('tracestate_included_traceparent_included', async () => {
    const { traceId, tracestate } = await contextOf(withTracestates('foo=1,bar=2'));
    expect(traceId).toBe(TRACE);
    expect(tracestate).toEqual([
      ['foo', '1'],
      ['bar', '2'],
    ]);
  });

  test.each(['trace-state', 'trace.state'])('tracestate_header_name: %s', async (name) => {
    const { tracestate } = await contextOf([...withTracestates(), [name, 'foo=1']]);
    expect(tracestate).toEqual([]);
  });

  test.each(['TraceState', 'TrAcEsTaTe', 'TRACESTATE'])(
    'tracestate_header_name_valid_casing: %s',
    async (name) => {
      const { tracestate } = await contextOf([...withTracestates(), [name, 'foo=1']]);
      expect(tracestate).toEqual([['foo', '1']]);
    },
  );

  test.each([
    [[''], []],
    [['foo=1', ''], [['foo', '1']]],
    [['', 'foo=1'], [['foo', '1']]],
  ])('tracestate_empty_header: %j', async (values, wanted) => {
    const { traceId, tracestate } = await contextOf(withTracestates(...values));
    expect([traceId, tracestate]).toEqual([TRACE, wanted]);
  });

  test('tracestate_multiple_headers_different_keys', async () => {
    const lists = ['foo=1,bar=2', 'rojo=1,congo=2', 'baz=3'];
    const { traceId, tracestate } = await contextOf(withTracestates(...lists));
    expect(traceId).toBe(TRACE);
    expect(tracestate.map((member) => member.join('='))).toEqual(lists.join(',').split(','));
  });

  test.each([[['foo=1,foo=1']], [['foo=1,foo=2']], [['foo=1', 'foo=1']], [['foo=1', 'foo=2']]])(
    'tracestate_duplicated_keys: %j',
    async (values) => {
      const { traceId, tracestate } = await contextOf(withTracestates(...values));
      expect([traceId, tracestate]).toEqual([TRACE, []]);
    },
  );

  const characters = (from: number, to: number) =>
    String.fromCharCode(...Array.from({ length: to - from + 1 }, (_, at) => from + at));
  const allOfKey = `${characters(0x61, 0x7a)}0123456789_-*/`;
  const allOfValue = characters(0x20, 0x2b) + characters(0x2d, 0x3c) + characters(0x3e, 0x7e);

  test.each([allOfKey, `${allOfKey}@a-z0-9_-*/`])(
    'tracestate_all_allowed_characters: %s',
    async (key) => {
      const { tracestate } = await contextOf(withTracestates(`${key}=${allOfValue}`));
      expect(tracestate).toEqual([[key, allOfValue]]);
    },
  );

  test.each([
    'foo=1 \t , \t bar=2, \t baz=3',
    'foo=1\t \t,\t \tbar=2,\t \tbaz=3',
    ' foo=1',
    '\tfoo=1',
    'foo=1 ',
    'foo=1\t',
    '\t foo=1 \t',
  ])('tracestate_ows_handling: %j', async (value) => {
    const { traceId, tracestate } = await contextOf(withTracestates(value));
    expect(traceId).toBe(TRACE);
    expect(tracestate).toEqual(membersOf(value.replaceAll(/[ \t]/g, '')));
  });

  test.each([
    ['key_illegal_characters', 'foo =1'],
    ['key_illegal_characters', 'FOO=1'],
    ['key_illegal_characters', 'foo.bar=1'],
    ['key_illegal_vendor_format', 'foo@=1,bar=2'],
    ['key_illegal_vendor_format', '@foo=1,bar=2'],
    ['key_illegal_vendor_format', 'foo@@bar=1,bar=2'],
    ['key_illegal_vendor_format', 'foo@bar@baz=1,bar=2'],
    ['value_illegal_characters', 'foo=bar=baz'],
    ['value_illegal_characters', 'foo=,bar=3'],
  ])('tracestate_%s: %j', async (_, value) => {
    expect((await contextOf(withTracestates(value))).tracestate).toEqual([]);
  });

  const numbered = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, at) => String(from + at).padStart(2, '0'))
      .map((number) => `bar${number}=${number}`)
      .join(',');

  test('tracestate_member_count_limit: 32 are inherited', async () => {
    const lists = [numbered(1, 10), numbered(11, 20), numbered(21, 30), numbered(31, 32)];
    const { tracestate } = await contextOf(withTracestates(...lists));
    expect(tracestate).toHaveLength(32);
    expect(tracestate[0]).toEqual(['bar01', '01']);
  });

  test('tracestate_member_count_limit: 33 are discarded', async () => {
    const lists = [numbered(1, 10), numbered(11, 20), numbered(21, 30), numbered(31, 33)];
    expect((await contextOf(withTracestates(...lists))).tracestate).toEqual([]);
  });

  test.each([`${'z'.repeat(256)}=1`, `${'t'.repeat(241)}@${'v'.repeat(14)}=1`])(
    'tracestate_key_length_limit: what is just short enough is inherited (row %#)',
    async (longest) => {
      const { tracestate } = await contextOf(withTracestates('foo=1', longest));
      expect(tracestate).toEqual([['foo', '1'], longest.split('=')]);
    },
  );

  test.each([`${'z'.repeat(257)}=1`, `${'t'.repeat(242)}@v=1`, `t@${'v'.repeat(15)}=1`])(
    'tracestate_key_length_limit: what is too long discards the whole (row %#)',
    async (tooLong) => {
      expect((await contextOf(withTracestates('foo=1', tooLong))).tracestate).toEqual([]);
    },
  );
});

describe('advanced', () => {
  async function threeOf(lines: Lines): Promise<{ traceIds: Set<string>; parentIds: Set<string> }> {
    const contexts = [await contextOf(lines), await contextOf(lines), await contextOf(lines)];
    return {
      traceIds: new Set(contexts.map(({ traceId }) => traceId)),
      parentIds: new Set(contexts.map(({ parentId }) => parentId)),
    };
  }

  test('multiple_requests_with_valid_traceparent', async () => {
    const { traceIds, parentIds } = await threeOf(withTraceparents(SAMPLED));
    expect([[...traceIds], parentIds.size]).toEqual([[TRACE], 3]);
  });

  test('multiple_requests_without_traceparent', async () => {
    expect((await threeOf([])).parentIds.size).toBe(3);
  });

  test('multiple_requests_with_illegal_traceparent', async () => {
    const illegal = `00-${'0'.repeat(32)}-${SPAN}-01`;
    const { traceIds, parentIds } = await threeOf(withTraceparents(illegal));
    expect([traceIds.has('0'.repeat(32)), parentIds.size]).toEqual([false, 3]);
  });
});
