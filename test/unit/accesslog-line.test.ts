// What becomes of one line of Caddy's, and of bytes that are none. Hostile cases 42, 43 and 51.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readEntries as readEntriesAt } from '../../sidecar/accesslog/entries.ts';
import { parseLine as parseLineAt } from '../../sidecar/accesslog/line.ts';
import { countMembers } from '../../sidecar/accesslog/repeated-key.ts';
import { setAsideLine } from '../../sidecar/accesslog/set-aside.ts';
import { aCaddyLine, aCaddyRequest, lineBytes } from '../fixtures/lines.ts';

/** A moment after all the lines in here. */
const NOW_US = 4_100_000_000_000_000;
const parseLine = (bytes: Buffer) => parseLineAt(bytes, NOW_US);
const readEntries = (bytes: Buffer) => readEntriesAt(bytes, NOW_US);
const parse = (line: unknown) => parseLine(lineBytes(line));

describe('an access line', () => {
  // Recorded from Caddy 2.11.4, as are the two below.
  const RECORDED =
    '{"level":"info","ts":1795175142.3625982,"logger":"http.log.access.log0","msg":"handled request",' +
    '"request":{"remote_ip":"127.0.0.1","remote_port":"56070","client_ip":"127.0.0.1",' +
    '"proto":"HTTP/1.1","method":"GET","host":"127.0.0.1:18080","uri":"/x?code=REDACTED"},' +
    '"bytes_read":3,"user_id":"alice","duration":0.001210947,"size":18,"status":200,' +
    '"uuid":"a2ce9bbc-dac2-444a-a3f9-265760ec1f3d","route":"orders","stamp":"st-1",' +
    '"proxied_ms":"1795175142362","retries":0,"upstream_duration_ms":0.44622900000000004,' +
    '"upstream_latency_ms":0.402504,"upstream":"127.0.0.1:18082"}';

  test('becomes an entry with its times in whole microseconds', () => {
    expect(parseLine(Buffer.from(RECORDED))).toEqual({
      endedAtUs: 1_795_175_142_362_598,
      durationUs: 1211,
      status: 200,
      requestBytes: 3,
      responseBytes: 18,
      peerAddress: '127.0.0.1',
      clientAddress: '127.0.0.1',
      protocol: 'HTTP/1.1',
      method: 'GET',
      scheme: 'http',
      host: '127.0.0.1:18080',
      uri: '/x?code=REDACTED',
      uuid: 'a2ce9bbc-dac2-444a-a3f9-265760ec1f3d',
      route: 'orders',
      stamp: 'st-1',
      proxiedAtMs: 1_795_175_142_362,
      upstream: '127.0.0.1:18082',
      upstreamDurationUs: 446,
      upstreamLatencyUs: 403,
      retries: 0,
    });
  });

  test.each(['websocket', 'foo', 'http/9'])(
    'of extended CONNECT by HTTP/3 has that protocol, and not the client’s %s',
    (proto) => {
      const line = JSON.parse(RECORDED) as { request: object };
      const entry = parse({ ...line, request: { ...line.request, method: 'CONNECT', proto } });
      expect(entry).toMatchObject({ protocol: 'HTTP/3.0', method: 'CONNECT' });
    },
  );

  test('of an app that never answered has no upstream duration, and forward_auth’s latency is not its own', () => {
    const entry = parse(aCaddyLine({ upstream_duration_ms: null, upstream_latency_ms: 0.302484 }));
    expect(entry).toMatchObject({ upstream: '127.0.0.1:3000' });
    expect(entry).toMatchObject({ upstreamDurationUs: undefined, upstreamLatencyUs: undefined });
  });

  test('of an unprotected block has neither route nor stamp', () => {
    const { route: _route, stamp: _stamp, ...plain } = aCaddyLine({ user_id: '' });
    const entry = parse(plain);
    expect(entry).toMatchObject({ route: undefined, stamp: undefined });
  });

  test('has the scheme https when Caddy speaks of TLS', () => {
    const request = aCaddyRequest({ tls: { version: 772, proto: 'h2' } });
    expect(parse(aCaddyLine({ request }))).toMatchObject({ scheme: 'https' });
  });

  test('of a client that left, as Caddy says it from 2.11.5 on, is the same as before', () => {
    const left = { status: 499, size: 0, upstream_duration_ms: null };
    expect(parse(aCaddyLine(left))).toMatchObject({ status: 0 });
    // The app's own.
    expect(parse(aCaddyLine({ ...left, upstream_duration_ms: 3 }))).toMatchObject({ status: 499 });
    expect(parse(aCaddyLine({ ...left, size: 7 }))).toMatchObject({ status: 499 });
  });

  test('of a client that left has status and duration 0', () => {
    expect(parse(aCaddyLine({ status: 0, duration: 0 }))).toMatchObject({
      status: 0,
      durationUs: 0,
    });
  });

  test('keeps an empty text of log_append absent', () => {
    const entry = parse(aCaddyLine({ stamp: '', upstream: '', retries: '', proxied_ms: '' }));
    for (const key of ['stamp', 'upstream', 'retries', 'proxiedAtMs']) {
      expect(entry).toMatchObject({ [key]: undefined });
    }
  });

  test.each([
    ['A2CE9BBC-DAC2-444A-A3F9-265760EC1F3D', 'a2ce9bbc-dac2-444a-a3f9-265760ec1f3d'],
    ['a2ce9bbc', undefined],
    ['{http.request.uuid}', undefined],
    [17, undefined],
  ])('with the uuid %p has the request id %p', (uuid, expected) => {
    const entry = parse(aCaddyLine({ uuid }));
    expect('uuid' in entry ? entry.uuid : undefined).toBe(expected);
  });

  test.each([
    ['2026-11-20T10:35:14.561234567Z', 1_795_170_914_561_235],
    ['2026-11-20T11:35:14.561+0100', 1_795_170_914_561_000],
    ['2026-11-20T11:35:14+01:00', 1_795_170_914_000_000],
    [1795170914.561234, 1_795_170_914_561_234],
    [1795170914, 1_795_170_914_000_000],
  ])('with the ts %p ended at %p', (ts, endedAtUs) => {
    expect(parse(aCaddyLine({ ts }))).toMatchObject({ endedAtUs });
  });

  test('gives back every microsecond of a float of seconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_600_000_000_000_000, max: 4_000_000_000_000_000 }), (us) => {
        const text = `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`;
        expect(parse(aCaddyLine({ ts: Number(text) }))).toMatchObject({ endedAtUs: us });
      }),
    );
  });

  test('has only its optional fields absent when they are of a wrong type', () => {
    const entry = parse(
      aCaddyLine({ size: '{}', bytes_read: -1, route: 7, stamp: {}, retries: 1.5, upstream: null }),
    );
    expect(entry).toMatchObject({ responseBytes: 0, requestBytes: 0, status: 200 });
    for (const key of ['route', 'stamp', 'retries', 'upstream']) {
      expect(entry).toMatchObject({ [key]: undefined });
    }
  });
});

describe('a line is set aside', () => {
  test.each(['', 'garbage', '{"ts":', '\u001b[31m', '{"a":1}{"b":2}'])(
    'as not-json: %j',
    (text) => {
      expect(parseLine(Buffer.from(text))).toEqual({ setAside: 'not-json' });
    },
  );

  test.each([
    ['an array', []],
    ['a number', 17],
    ['null', null],
    ['an empty object', {}],
    ['a word as ts', aCaddyLine({ ts: 'yesterday' })],
    ['a ts beyond all time', aCaddyLine({ ts: 1e300 })],
    ['a class as status', aCaddyLine({ status: '2xx' })],
    ['a negative duration', aCaddyLine({ duration: -1 })],
    ['a text as request', aCaddyLine({ request: 'GET /' })],
    ['a number as uri', aCaddyLine({ request: aCaddyRequest({ uri: 7 }) })],
    ['no host', aCaddyLine({ request: aCaddyRequest({ host: undefined }) })],
    ['a line of another log', { level: 'info', ts: 1795175140.89, msg: 'serving' }],
  ])('as not-access: %s', (_name, line) => {
    expect(parse(line)).toEqual({ setAside: 'not-access' });
  });

  test('as not-access when it is of the error log, which has nearly the same fields', () => {
    expect(parse(aCaddyLine({ logger: 'http.log.error.log0' }))).toEqual({
      setAside: 'not-access',
    });
  });

  test.each(['stamp', 'uuid', 'ts', 'request', 'status'])(
    'as duplicate-key with two `%s`',
    (key) => {
      const json = JSON.stringify(aCaddyLine());
      const doubled = `${json.slice(0, -1)},${JSON.stringify(key)}:"b"}`;
      expect(parseLine(Buffer.from(doubled))).toEqual({ setAside: 'duplicate-key' });
    },
  );

  test('a key that is no part of a row may stand twice', () => {
    const doubled = `${JSON.stringify(aCaddyLine()).slice(0, -1)},"user_id":"b"}`;
    expect(parseLine(Buffer.from(doubled))).toEqual(parse(aCaddyLine()));
  });

  test('what stands in values, or deeper, is no key of the line', () => {
    const uri = '/?a","stamp":"b\\","stamp":{"stamp":1';
    const request = { ...aCaddyRequest({ uri }), stamp: { stamp: ['stamp:', { stamp: 1 }] } };
    expect(parse(aCaddyLine({ request }))).toMatchObject({ uri });
  });

  test('members are counted as JSON.parse finds keys, and one more for each that is repeated', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (object) => {
        const json = JSON.stringify(object);
        const keys = Object.keys(object);
        expect(countMembers(json)).toBe(keys.length);
        const doubled = `${json.slice(0, -1)} , ${JSON.stringify(keys[0])} : ${json} }`;
        expect(countMembers(doubled)).toBe(keys.length + 1);
      }),
    );
  });

  test.each(['"st\\u0061mp" : 1', '"stamp"\t:1'])(
    'as duplicate-key however it is spelled: %s',
    (text) => {
      const doubled = `${JSON.stringify(aCaddyLine()).slice(0, -1)},${text}}`;
      expect(parseLine(Buffer.from(doubled))).toEqual({ setAside: 'duplicate-key' });
    },
  );

  test('with its hash, its length and the first 4,096 bytes', () => {
    const line = setAsideLine(
      Buffer.concat([Buffer.from([0xff]), Buffer.alloc(9999, '~')]),
      'not-json',
    );
    expect(line).toMatchObject({ reason: 'not-json', bytes: 10_000 });
    expect(line.head).toBe(`\ufffd${'~'.repeat(4095)}`);
    expect(line.hash).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('a time that can not be true', () => {
  const now = Date.parse('2026-11-20T12:00:00Z') / 1000;
  const at = (changes: Record<string, unknown>) =>
    parseLineAt(lineBytes(aCaddyLine({ proxied_ms: '', ...changes })), now * 1e6);
  const HOUR = 3600;
  const YEAR_2020 = Date.parse('2020-01-01T00:00:00Z') / 1000;

  test.each([
    ['a second more than a day ahead', { ts: now + 24 * HOUR + 1 }],
    ['a year ahead', { ts: now + 8760 * HOUR }],
    ['of a clock that was never set', { ts: 12.5 }],
    ['a second before 2020', { ts: YEAR_2020 - 1 }],
    ['begun before 2020', { ts: now, duration: 10 * 8760 * HOUR }],
    ['passed on to the app before 2020', { ts: now, proxied_ms: '1500000000000' }],
    ['passed on to the app in a year', { ts: now, proxied_ms: String((now + 8760 * HOUR) * 1e3) }],
  ])('sets the line aside: %s', (_name, changes) => {
    expect(at(changes)).toEqual({ setAside: 'time-implausible' });
  });

  test.each([
    ['a day ahead', { ts: now + 24 * HOUR }],
    ['the first second of 2020', { ts: YEAR_2020, duration: 0 }],
    ['a WebSocket that was open for a month', { ts: now, duration: 30 * 24 * HOUR }],
  ])('is not %s', (_name, changes) => {
    expect(at(changes)).toMatchObject({ status: 200 });
  });

  test('is looked for in each of the lines that were glued together', () => {
    const [early, good] = [lineBytes(aCaddyLine({ ts: 1 })), lineBytes(aCaddyLine())];
    const read = readEntries(Buffer.concat([early, good]));
    expect(read.entries).toHaveLength(1);
    expect(read.setAside).toMatchObject([{ reason: 'time-implausible', bytes: early.length }]);
  });
});

describe('what a client wrote', () => {
  test.each([
    '/?a="stamp":"forged","stamp":"x',
    '/\\","stamp":"forged',
    '/\n{"ts":1}\n',
    '/\u001b[31m\u009b\u202e',
    '/{"stamp":{"stamp":[',
  ])('into the URI stays in the URI: %j', (uri) => {
    const entry = parse(aCaddyLine({ request: aCaddyRequest({ uri }) }));
    expect(entry).toMatchObject({ uri, stamp: 'v1.abc' });
  });

  test('into nested keys is not taken for a repeated one', () => {
    const request = aCaddyRequest({ headers: { stamp: ['a'], uuid: ['b'], ts: ['c'] } });
    expect(parse(aCaddyLine({ request }))).toMatchObject({ stamp: 'v1.abc' });
  });

  test('in invalid UTF-8 becomes U+FFFD', () => {
    const bytes = lineBytes(aCaddyLine({ request: aCaddyRequest({ uri: '/@@' }) }));
    bytes.fill(0xff, bytes.indexOf('@@'), bytes.indexOf('@@') + 2);
    expect(parseLine(bytes)).toMatchObject({ uri: '/\ufffd\ufffd' });
  });

  test('is never taken for a key, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (uri) => {
        expect(parse(aCaddyLine({ request: aCaddyRequest({ uri }) }))).toMatchObject({
          stamp: 'v1.abc',
        });
      }),
    );
  });
});

describe('parseLine never throws', () => {
  test('for arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(parseLine(Buffer.from(bytes))).toBeDefined();
      }),
    );
  });

  test('for arbitrary JSON', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(parseLine(Buffer.from(json))).toBeDefined();
      }),
    );
  });

  test('for an access line with arbitrary values in place of its own', () => {
    const keys = fc.constantFrom(...Object.keys(aCaddyLine()));
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue()), (values) => {
        expect(parse(aCaddyLine(values))).toBeDefined();
      }),
    );
  });

  test('for deep nesting', () => {
    const deep = Buffer.from(`{"ts":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
    expect(parseLine(deep)).toEqual({ setAside: 'not-access' });
  });
});

describe('a line that Caddy was killed in the middle of', () => {
  const whole = lineBytes(aCaddyLine());
  const other = lineBytes(aCaddyLine({ uuid: '11111111-2222-4333-8444-555555555555' }));
  const uuids = (bytes: Buffer) => readEntries(bytes).entries.map(({ entry }) => entry.uuid);

  test('costs itself, and not the line that is glued to it', () => {
    const torn = whole.subarray(0, 90);
    const read = readEntries(Buffer.concat([torn, whole]));
    expect(read.entries.map(({ entry }) => entry)).toEqual([parseLine(whole)]);
    expect(read.entries[0]?.bytes.equals(whole)).toBe(true);
    expect(read.setAside).toMatchObject([{ reason: 'half-line', bytes: 90 }]);
  });

  test('can lie in a heap of several, of which each whole one counts', () => {
    const torn = whole.subarray(0, 60);
    const read = readEntries(Buffer.concat([torn, whole, torn, torn, other]));
    expect(read.entries).toHaveLength(2);
    expect(read.setAside).toHaveLength(3);
  });

  test('costs nothing at all when only its newline was missing', () => {
    const both = Buffer.concat([whole, other]);
    expect(uuids(both)).toEqual([...uuids(whole), ...uuids(other)]);
    expect(readEntries(both).setAside).toEqual([]);
  });

  test.each(['{', '{"lev', '{"level":', '{{"{'])(
    'costs nothing but itself when it is no more than %s',
    (torn) => {
      const read = readEntries(Buffer.concat([whole, Buffer.from(torn), other, Buffer.from(torn)]));
      expect(read.entries.map(({ bytes }) => bytes)).toEqual([whole, other]);
      expect(read.setAside.map(({ head }) => head)).toEqual([torn, torn]);
    },
  );

  test('is not to be had by writing a line into a value', () => {
    const uri = `/${other.toString()}`;
    const line = lineBytes(aCaddyLine({ request: { ...aCaddyRequest(), uri } }));
    expect(readEntries(line).entries.map(({ entry }) => entry.uri)).toEqual([uri]);
    for (const cut of [1, 5, 100]) expect(readEntries(line.subarray(cut)).entries).toEqual([]);
  });
});
