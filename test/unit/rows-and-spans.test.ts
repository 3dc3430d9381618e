// From a line and its stamp to a row, and from a row to spans: times, parents, names.
import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Entry } from '../../sidecar/accesslog/line.ts';
import { MAX_URI_PART_CHARS, toRow, toRows, type Opened } from '../../sidecar/to-row.ts';
import { stampedIdentity } from '../../sidecar/stamp.ts';
import { createRedact } from '../../sidecar/trace/redact.ts';
import { createSample, type Sampling } from '../../sidecar/trace/sampling.ts';
import { identity } from '../fixtures/identities.ts';
import { SAMPLE_EVERYTHING } from '../fixtures/sampling.ts';
import { spansOf } from '../../sidecar/trace/spans.ts';
import { REQUEST_ID, stamp } from '../fixtures/stamps.ts';

const T0 = 1_700_000_000_000_000; // when Caddy got the request; the gate begins 1 ms later
const SOCKET = '/run/signet/sidecar.sock';

function entry(changes: { [K in keyof Entry]?: Entry[K] | undefined } = {}): Entry {
  const all = {
    endedAtUs: T0 + 310_000,
    durationUs: 310_000,
    status: 200,
    requestBytes: 0,
    responseBytes: 512,
    peerAddress: '127.0.0.1',
    clientAddress: '127.0.0.1',
    protocol: 'HTTP/2.0',
    method: 'GET',
    scheme: 'https' as const,
    host: 'app.example.com:8443',
    uri: '/slow?ms=300&code=abc',
    uuid: REQUEST_ID,
    route: 'orders',
    proxiedAtMs: T0 / 1000 + 1, // cut to whole milliseconds: before the gate had ended
    upstream: '127.0.0.1:3000',
    upstreamDurationUs: 305_000,
    upstreamLatencyUs: 304_000,
    ...changes,
  };
  return Object.fromEntries(Object.entries(all).filter(([, v]) => v !== undefined)) as Entry;
}

const RULES = {
  ownAddresses: [SOCKET],
  redact: createRedact([]),
  address: (address: string) => address,
  sample: createSample(SAMPLE_EVERYTHING),
};

const rowOf = (e: Entry = entry(), opened: Opened = stamp()) =>
  toRow(e, opened, Buffer.from('the line'), RULES);

const rowUnder = (sampling: Sampling, e: Entry, opened: Opened) =>
  toRow(e, opened, Buffer.from('the line'), { ...RULES, sample: createSample(sampling) });

describe('whether a row is sampled', () => {
  const NONE: Sampling = { ratio: 0, rules: [] };
  const unprotected = entry({ route: undefined });

  test('is what the gate had decided, whatever the rules say now', () => {
    expect(rowUnder(NONE, entry(), stamp({ sampled: true })).sampled).toBe(true);
    expect(rowOf(entry(), stamp({ sampled: false })).sampled).toBe(false);
  });

  test('is decided by the same rules where the gate had no say', () => {
    const half: Sampling = { ratio: 0.5, rules: [] };
    const sampledOf = (uuid: string) =>
      rowUnder(half, entry({ route: undefined, uuid }), 'missing').sampled;
    expect(sampledOf('4d032074-7bbc-4e5d-967f-ffffffffffff')).toBe(false);
    expect(sampledOf('4d032074-7bbc-4e5d-9680-000000000000')).toBe(true);
  });

  test('follows the rules for its route, and for what nobody decided', () => {
    const rules = [{ route: ['orders'], decision: ['none' as const], ratio: 1 }];
    const unanswered = entry({ status: 502, proxiedAtMs: undefined });
    expect(rowUnder({ ratio: 0, rules }, unanswered, 'missing').sampled).toBe(true);
    expect(rowUnder({ ratio: 0, rules }, unprotected, 'missing').sampled).toBe(false);
  });

  test('is yes where the gate would not read the request', () => {
    const unread = entry({ status: 431, proxiedAtMs: undefined });
    const { reason, sampled } = rowUnder(NONE, unread, 'missing');
    expect([reason, sampled]).toEqual(['gate-refused', true]);
  });

  test('is yes where a stamp does not hold, or nothing explains the answer', () => {
    expect(rowUnder(NONE, unprotected, 'invalid').sampled).toBe(true);
    const unexplained = rowUnder(NONE, entry(), 'missing');
    expect([unexplained.kind, unexplained.sampled]).toEqual(['unexplained', true]);
  });
});

describe('a row', () => {
  test('takes who and why from the stamp, what and how long from the line', () => {
    expect(rowOf()).toMatchObject({
      requestId: REQUEST_ID,
      traceId: REQUEST_ID.replaceAll('-', ''),
      startedAtUs: T0,
      durationUs: 310_000,
      path: '/slow',
      query: 'ms=300&code=REDACTED',
      identity: { user: 'alice', team: 'payments' },
      decision: 'allow',
      reason: 'requirement-met',
    });
  });

  test.each([
    ['the app has answered', entry()],
    ['Caddy has answered 200 from an error route', entry({ proxiedAtMs: undefined, status: 200 })],
  ])('is unexplained when %s and no stamp says that it was allowed', (_what, served) => {
    expect(rowOf(served, 'missing')).toMatchObject({ kind: 'unexplained', reason: 'unexplained' });
    expect(rowOf(served, 'invalid')).toMatchObject({
      kind: 'unexplained',
      reason: 'stamp-invalid',
    });
  });

  test('is a request where a redirect of the site’s own came before a refusal of `import signet`, and not for a page of Signet’s', () => {
    const led = { proxiedAtMs: undefined, upstream: undefined, route: 'signet', status: 301 };
    const rowsOf = (changes: Partial<Entry>) =>
      toRows(entry({ ...led, ...changes }), 'missing', Buffer.from('the line'), RULES);
    const [row] = rowsOf({ uri: '/old/..%2fx' });
    expect(row).toMatchObject({ kind: 'request', reason: 'unprotected', route: undefined });
    for (const other of [{ uri: '/.signet/login' }, { uri: '/x', status: 200 }]) {
      expect(rowsOf(other)).toMatchObject([{ kind: 'unexplained' }]);
    }
  });

  test('is a request where no app was called, or nobody claims to protect it', () => {
    const refused = entry({ proxiedAtMs: undefined, status: 502 });
    expect(rowOf(refused, 'missing').kind).toBe('request');
    expect(rowOf(entry({ route: undefined }), 'missing').kind).toBe('request');
    expect(rowOf(entry(), stamp()).kind).toBe('request');
  });

  test('knows by how much the gate’s clock is ahead of Caddy’s, or behind', () => {
    const { gate } = stamp();
    const at = (startedAtUs: number) => stamp({ gate: { ...gate, startedAtUs } });
    const row = rowOf(entry(), at(T0 + 100));
    expect(row.skewUs).toBe(0);
    const endUs = row.startedAtUs + row.durationUs;
    expect(rowOf(entry(), at(endUs + 5_000_000)).skewUs).toBe(5_000_000 + gate.durationUs);
    expect(rowOf(entry(), at(T0 - 5_000_000)).skewUs).toBe(-5_000_000);
  });

  test.each([
    ['a page of Signet’s own', { decision: 'none', reason: 'signet', route: 'signet' }],
    ['a refusal', { decision: 'deny', reason: 'role-not-allowed' }],
    ['the way to the sign-in', { decision: 'login', reason: 'no-credentials' }],
  ] as const)('is unexplained, and sampled, when an app was called upon %s', (_what, outcome) => {
    const opened = stamp({ ...outcome, sampled: false });
    expect(rowOf(entry({ proxiedAtMs: 1_795_180_000_000 }), opened)).toMatchObject({
      ...{ kind: 'unexplained', decision: 'none', reason: 'unexplained', sampled: true },
    });
    expect(rowOf(entry({ proxiedAtMs: undefined }), opened)).toMatchObject({ kind: 'request' });
  });

  test('brings the events of its stamp with it, under ids of their own', () => {
    const signedIn = stamp({ route: 'signet', events: [{ event: 'sign-in' }] });
    const rows = toRows(entry(), signedIn, Buffer.from('the line'), RULES);
    expect(rows).toMatchObject([
      { kind: 'request', requestId: REQUEST_ID },
      {
        kind: 'event',
        event: 'sign-in',
        requestId: `sign-in:${REQUEST_ID}`,
        identity: { user: 'alice' },
      },
    ]);
  });

  test('brings one event for each session that its stamp tells of, under the session’s own id', () => {
    const bob = stampedIdentity(identity({ user: 'bob' }));
    const of = { identity: bob, sessions: ['a'.repeat(16), 'b'.repeat(16)] };
    const told = stamp({
      events: [{ event: 'session-revoked', details: { why: 'provider' }, of }],
    });
    const [, ...events] = toRows(entry(), told, Buffer.from('the line'), RULES);
    expect(events).toMatchObject(
      of.sessions.map((sessionHash) => ({
        requestId: `session-revoked:${sessionHash}`,
        details: { why: 'provider' },
        identity: { user: 'bob', sessionHash },
      })),
    );
  });

  test('without a believable stamp has no identity, and says why', () => {
    for (const [opened, reason] of [
      ['invalid', 'stamp-invalid'],
      ['missing', 'gate-unavailable'],
    ] as const) {
      const row = rowOf(entry({ status: 502, proxiedAtMs: undefined }), opened);
      expect(row).toMatchObject({ decision: 'none', reason });
      expect(row.identity).toBeUndefined();
    }
    expect(rowOf(entry({ route: undefined }), 'missing').reason).toBe('unprotected');
    expect(rowOf(entry({ status: 431, proxiedAtMs: undefined }), 'missing').reason).toBe(
      'gate-refused',
    );
    expect(rowOf(entry({ status: 502, proxiedAtMs: undefined }), 'missing').reason).toBe(
      'gate-unavailable',
    );
  });

  test('begins with the stamp when Caddy, left by its client, says that nothing lasted', () => {
    const row = rowOf(entry({ durationUs: 0, status: 0 }));
    expect(row.startedAtUs).toBe(stamp().gate.startedAtUs);
    expect(row.durationUs).toBe(309_000);
  });

  test('has no upstream when the app was not called, though Caddy logs the sidecar as one', () => {
    expect(rowOf(entry({ proxiedAtMs: undefined })).upstream).toBeUndefined();
    expect(rowOf(entry({ upstream: SOCKET })).upstream).toBeUndefined();
  });

  test('of a client that left in the middle has its upstream, though Caddy forgot whom it called', () => {
    const lost = {
      upstream: undefined,
      upstreamDurationUs: undefined,
      upstreamLatencyUs: undefined,
    };
    const row = rowOf(entry({ ...lost, durationUs: 0 }));
    expect(row.upstream).toEqual({
      startedAtUs: T0 + 1_060,
      durationUs: 310_000 - 1_060,
      retries: 0,
    });
    const upstream = spansOf(row).at(-1);
    expect(upstream).toMatchObject({ kind: 'CLIENT', isError: false });
    expect(upstream?.attributes).not.toHaveProperty(['server.address']);
  });

  test('its upstream begins after the decision, and lasts until the end when nobody measured', () => {
    const decidedAtUs = T0 + 1_060;
    expect(rowOf().upstream).toMatchObject({ startedAtUs: decidedAtUs, durationUs: 305_000 });
    const left = rowOf(entry({ upstreamDurationUs: undefined }));
    expect(left.upstream?.durationUs).toBe(310_000 - 1_060);
  });

  test('of a client that left before any decision says so, and sounds no alarm', () => {
    expect(rowOf(entry({ status: 0 }), 'missing').reason).toBe('client-left');
  });

  test.each([
    ['https://bob:secret@evil.example/public/abs?x=1', '/public/abs', 'x=1'],
    ['http://localhost:8443', '/', undefined],
    ['//evil.example/x', '//evil.example/x', undefined],
    ['localhost:10443', 'localhost:10443', undefined],
    ['*', '*', undefined],
  ])('of the target %s has the path %s', (uri, path, query) => {
    const row = rowOf(entry({ uri }));
    expect([row.path, row.query]).toEqual([path, query]);
  });

  test('holds no more of a path and of a query than a bound', () => {
    const long = 'x'.repeat(30_000);
    const row = rowOf(entry({ uri: `/${long}?${long}` }));
    expect(row.path).toHaveLength(MAX_URI_PART_CHARS + 1);
    expect(row.query).toHaveLength(MAX_URI_PART_CHARS + 1);
  });

  test('of a line without a request id is named by the hash of its bytes', () => {
    const row = rowOf(entry({ uuid: undefined }), 'missing');
    const digits = createHash('sha256').update('the line').digest('hex');
    expect(row.requestId).toBe(`line-${digits}`);
    expect(row.traceId).toBe(digits.slice(0, 32));
  });
});

describe('redaction', () => {
  test.each([
    ['a=1&code=x&b', 'a=1&code=REDACTED&b'],
    ['%63ode=x', '%63ode=REDACTED'],
    ['CODE=x&X-Amz-Anything=y', 'CODE=REDACTED&X-Amz-Anything=REDACTED'],
    ['encoded=1&decode=2', 'encoded=1&decode=2'],
    ['session=s', 'session=REDACTED'],
    ['%=1&code', '%=1&code'],
    ['a=1;token=x;b=2#sig=y', 'a=1;token=REDACTED;b=2#sig=REDACTED'],
    ['b=%zz&a=;;&=1&&', 'b=%zz&a=;;&=1&&'],
    ['return=%2F%3Ftoken%3Dx', 'return=REDACTED'],
    [
      'token[]=x&+token=x&Token%20=x&%74oken=x&token%zz=x',
      'token[]=REDACTED&+token=REDACTED&Token%20=REDACTED&%74oken=REDACTED&token%zz=x',
    ],
  ])('%j becomes %j', (query, redacted) => expect(createRedact(['Session'])(query)).toBe(redacted));
});

test('a query of a megabyte that is made to be slow is redacted in time that grows with its length only', () => {
  // Were it the square of it, each of these would take minutes, and the test would not end in time.
  const redact = createRedact([]);
  for (const unit of ['a', 'a=', '=', 'a?', '%', '[', ';;']) {
    const query = unit.repeat(1_000_000 / unit.length);
    expect(redact(query)).toBe(query);
  }
});

describe('spans', () => {
  test('ingress, gate and upstream: one trace, the promised ids and parents', () => {
    const [ingress, gate, upstream] = spansOf(rowOf());
    expect(ingress).toMatchObject({
      name: 'GET orders',
      kind: 'SERVER',
      spanId: '4d0320747bbc4e5d',
      startUs: T0,
      endUs: T0 + 310_000,
    });
    expect(ingress).not.toHaveProperty('parentSpanId');
    expect(gate).toMatchObject({ kind: 'INTERNAL', parentSpanId: ingress?.spanId });
    expect(upstream).toMatchObject({
      kind: 'CLIENT',
      spanId: '964fa0f15a34b6f6',
      parentSpanId: ingress?.spanId,
    });
    expect(new Set([ingress, gate, upstream].map((span) => span?.traceId)).size).toBe(1);
  });

  test('the gate lies inside the ingress and ends before the upstream begins', () => {
    const [ingress, gate, upstream] = spansOf(rowOf());
    expect(gate!.startUs).toBeGreaterThanOrEqual(ingress!.startUs);
    expect(gate!.endUs).toBeLessThanOrEqual(upstream!.startUs);
    expect(upstream!.endUs - upstream!.startUs).toBe(305_000);
  });

  test('a child stays inside its parent, however wrong the clocks are', () => {
    for (const skewUs of [-10_000_000, -500, 500, 10_000_000]) {
      const gate = { ...stamp().gate, startedAtUs: T0 + 1_000 + skewUs };
      const [ingress, ...children] = spansOf(rowOf(entry(), stamp({ gate })));
      for (const child of children) {
        expect(child.startUs).toBeGreaterThanOrEqual(ingress!.startUs);
        expect(child.endUs).toBeLessThanOrEqual(ingress!.endUs);
        expect(child.endUs).toBeGreaterThanOrEqual(child.startUs);
      }
    }
  });

  test('each of them says who it was', () => {
    for (const span of spansOf(rowOf())) {
      expect(span.attributes).toMatchObject({
        'user.id': 'alice',
        team: 'payments',
        user_type: 'human',
      });
    }
  });

  test('nobody has no user.id, not even an empty one', () => {
    for (const span of spansOf(rowOf(entry(), 'missing'))) {
      expect(Object.keys(span.attributes)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(user|team)/)]),
      );
    }
  });

  test('a 403 is an answer on the ingress; a 5xx is an error', () => {
    const refused = spansOf(rowOf(entry({ status: 403, proxiedAtMs: undefined })));
    expect(refused.map(({ kind }) => kind)).toEqual(['SERVER', 'INTERNAL']);
    expect(refused[0]?.isError).toBe(false);
    const [failed] = spansOf(rowOf(entry({ status: 502 })));
    expect(failed).toMatchObject({ isError: true, attributes: { 'error.type': '502' } });
  });

  test('the app’s own 404 is an error of the call, and none of the request', () => {
    const [ingress, , upstream] = spansOf(rowOf(entry({ status: 404 })));
    expect([ingress?.isError, upstream?.isError]).toEqual([false, true]);
  });

  test('an unknown method is _OTHER with the original beside it, and never names a span', () => {
    const [ingress] = spansOf(rowOf(entry({ method: 'BREW' })));
    expect(ingress).toMatchObject({
      name: 'HTTP orders',
      attributes: { 'http.request.method': '_OTHER', 'http.request.method_original': 'BREW' },
    });
  });

  test('a trusted caller’s trace goes on below its span; another’s is linked', () => {
    const caller = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
    const continued = stamp({ traceId: caller.traceId, parentSpanId: caller.spanId });
    expect(spansOf(rowOf(entry(), continued))[0]).toMatchObject({
      traceId: caller.traceId,
      parentSpanId: caller.spanId,
    });
    const [begun, gate] = spansOf(rowOf(entry(), stamp({ link: caller })));
    expect(begun).toMatchObject({ link: caller, traceId: REQUEST_ID.replaceAll('-', '') });
    expect(gate).not.toHaveProperty('link');
  });
});
