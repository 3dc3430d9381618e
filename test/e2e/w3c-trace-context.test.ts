// Those cases of W3C's suite in which Caddy has a part, through a real one and to the app itself: how
// header names and repeated headers reach the gate. All cases are in test/conformance.
import { createServer, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startGatedSite, type GatedSite } from '../fixtures/gated-site.ts';

const TRACE = '12345678901234567890123456789012';
const VALID = `00-${TRACE}-1234567890123456-01`;

let site: GatedSite;
const toApp: IncomingMessage[] = [];
beforeAll(async () => {
  const app = createServer((req, res) => {
    toApp.push(req);
    res.end();
  });
  site = await startGatedSite(app, { trust: 'always' });
});
afterAll(() => site.stop());
beforeEach(() => {
  toApp.length = 0;
});

/** Returns each value that the app got under either name. */
async function reaching(...lines: string[]) {
  expect(await site.ask('/', ...lines)).toMatch(/^HTTP\/1\.1 200 /);
  const { traceparent = [], tracestate = [] } = toApp[0]?.headersDistinct ?? {};
  return { traceparent, tracestate, traceId: traceparent[0]?.split('-')[1] };
}

test('both_traceparent_and_tracestate_missing: the app gets one traceparent', async () => {
  const { traceparent, tracestate } = await reaching();
  expect(traceparent).toEqual([expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-03$/)]);
  expect(tracestate).toEqual([]);
});

test('traceparent_duplicated: the app gets one, of a trace begun anew', async () => {
  const { traceparent, traceId } = await reaching(
    `traceparent: ${VALID.replace(TRACE, '12345678901234567890123456789011')}`,
    `traceparent: ${VALID}`,
  );
  expect(traceparent).toHaveLength(1);
  expect(traceId).not.toMatch(/^123456789012345678901234567890/);
});

test.each(['TraceParent', 'TrAcEpArEnT', 'TRACEPARENT'])(
  'traceparent_header_name_valid_casing: %s goes on, and the app gets one',
  async (name) => {
    const { traceparent, traceId } = await reaching(`${name}: ${VALID}`);
    expect([traceparent.length, traceId]).toEqual([1, TRACE]);
  },
);

test.each(['trace-parent', 'trace.parent'])(
  'traceparent_header_name: %s is another header',
  async (name) => {
    expect((await reaching(`${name}: ${VALID}`)).traceId).not.toBe(TRACE);
  },
);

test('traceparent_ows_handling: spaces and tabs around it are none of it', async () => {
  expect((await reaching(`traceparent: \t ${VALID} \t`)).traceId).toBe(TRACE);
});

test('tracestate_multiple_headers_different_keys: the app gets one list, in order', async () => {
  const { tracestate } = await reaching(
    `traceparent: ${VALID}`,
    'tracestate: foo=1,bar=2',
    'TraceState: rojo=1,congo=2',
    'TRACESTATE: baz=3',
  );
  expect(tracestate).toEqual(['foo=1,bar=2,rojo=1,congo=2,baz=3']);
});

test('tracestate_empty_header: an empty one beside another is nothing, alone it reaches nobody', async () => {
  const lines = [`traceparent: ${VALID}`, 'tracestate: foo=1', 'tracestate: '];
  expect((await reaching(...lines)).tracestate).toEqual(['foo=1']);
  toApp.length = 0;
  expect((await reaching(`traceparent: ${VALID}`, 'tracestate: ')).tracestate).toEqual([]);
});

test('tracestate_duplicated_keys: over two headers, too, the whole is discarded', async () => {
  const lines = [`traceparent: ${VALID}`, 'tracestate: foo=1', 'tracestate: foo=2'];
  expect(await reaching(...lines)).toMatchObject({ tracestate: [], traceId: TRACE });
});

test('tracestate_included_traceparent_missing: it does not reach the app', async () => {
  expect((await reaching('tracestate: foo=1,bar=2')).tracestate).toEqual([]);
});
