// What people and programs see of a row; and that nothing in it commands a terminal. Hostile case 42.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isoTime, localTime } from '../../sidecar/audit/format-text.ts';
import { column, cut, visible } from '../../sidecar/visible.ts';
import { toJson } from '../../sidecar/report/format-json.ts';
import { createFormatter } from '../../sidecar/report/format.ts';
import type { ReadRow } from '../../sidecar/audit/reader.ts';
import type { EventRow, RequestRow, StoredRow } from '../../sidecar/audit/row.ts';
import { formatTree, type TreeSpan } from '../../sidecar/report/tree.ts';
import { CHAIN } from '../fixtures/databases.ts';
import { aFullRow, anEvent, aRow, aStoredRow, STARTED_AT_US } from '../fixtures/rows.ts';

// Everything that a terminal could obey or be fooled by; a line's own end is none of it.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const HOSTILE = 'a\u001b[31m\n\r\t\u0007\u009b2J\u007f\u202e\u2066\u200b\u2028\u{e0041} \ud800z';

const { header, line } = createFormatter({ width: 170 });

const HASH = 'ab'.repeat(32);

const read = (overrides: Partial<RequestRow & StoredRow> = {}): ReadRow => ({
  ...aStoredRow(overrides),
  chain: CHAIN,
});
const readEvent = (overrides: Partial<EventRow> = {}): ReadRow => ({
  ...anEvent(overrides),
  sequence: 2,
  hash: HASH,
  chain: CHAIN,
});
/** As the store gives it back once its person was forgotten. */
const forgotten = (): ReadRow => {
  const { identity: _identity, requirement: _requirement, ...rest } = aStoredRow();
  const erased = { path: '', clientAddress: '', peerAddress: '', isForgotten: true } as const;
  return { ...rest, ...erased, chain: CHAIN };
};

describe('a line', () => {
  test('says who did what, whether it was allowed, and how long it took', () => {
    const time = localTime(STARTED_AT_US, false);
    expect(line(aRow()).split(/ +/)).toEqual([
      time,
      'alice',
      'payments',
      'human',
      'GET',
      '/orders/17',
      '200',
      '12.3',
      'allow',
      '4d0320747bbc4e5d964f000000000001',
    ]);
    expect(time).toMatch(/^\d\d:35:14\.561$/);
  });

  test('of nobody has dashes, and of a refusal its reason', () => {
    const { identity: _identity, ...nobody } = aRow({
      status: 302,
      decision: 'login',
      reason: 'no-credentials',
    });
    expect(line(nobody)).toMatch(/ — +— +— +GET .* 302 .* login no-credentials +4d03/);
  });

  test('of a client that left has no status', () => {
    expect(line(aRow({ status: 0 }))).toMatch(/\/orders\/17 +— +12\.3/);
  });

  test('stands under its header, however long its values are', () => {
    const long = 'x'.repeat(500);
    const identity = { ...aFullRow().identity!, user: long, team: long };
    const text = line(aRow({ path: `/${long}`, method: long, identity }));
    expect(text).toHaveLength(170);
    for (const name of ['USER', 'TEAM', 'TYPE', 'METHOD', 'PATH', 'DECISION', 'TRACE']) {
      expect(text[header().indexOf(name) - 1]).toBe(' ');
    }
  });

  test('of an event has its name and details where others have method and path, and its code', () => {
    const text = line(readEvent({ details: { provider: 'https://b.example', attempts: 2 } }));
    const start = header().indexOf('METHOD');
    expect(text.slice(start)).toMatch(
      /^sign-in provider=https:\/\/b\.example attempts=2 +event SIG-101 +4d0320747bbc4e5d964f000000000001$/,
    );
    expect(text.indexOf('event SIG-101')).toBe(header().indexOf('DECISION'));
  });

  test('of an event of nobody, and in no trace, has dashes', () => {
    const { identity: _identity, traceId: _traceId, ...event } = anEvent({ event: 'store-opened' });
    expect(line(event)).toMatch(/ — +— +— +store-opened +event SIG-301 +—$/);
  });

  test('of a lost decision names who is known by the name alone', () => {
    const { identity: _identity, ...event } = anEvent({ kind: 'lost', event: 'decision-lost' });
    expect(line({ ...event, user: 'alice' })).toMatch(/ alice +— +— +decision-lost +lost SIG-303/);
  });

  test('of a forgotten person says so in place of the user and of the path', () => {
    expect(line(forgotten())).toMatch(/ \(forgotten\) +— +— +GET +\(forgotten\) +200 /);
  });

  test('has a date when asked for', () => {
    const dated = createFormatter({ isDated: true }).line(aRow());
    expect(dated).toMatch(/^2026-11-\d\d \d\d:\d\d:14\.561 alice/);
  });

  test('has colours only when asked for, and is otherwise the same', () => {
    const coloured = createFormatter({ width: 170, colour: true }).line(aRow({ decision: 'deny' }));
    expect(coloured).toContain('\u001b[31mdeny');
    // oxlint-disable-next-line no-control-regex -- these are the colours
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(line(aRow({ decision: 'deny' })));
  });
});

describe('a terminal', () => {
  const everywhere = () =>
    read({
      ...aFullRow(),
      method: HOSTILE,
      host: HOSTILE,
      path: HOSTILE,
      query: HOSTILE,
      userAgent: HOSTILE,
      route: HOSTILE,
      requirement: HOSTILE,
      protocol: HOSTILE,
      clientAddress: HOSTILE,
      identity: {
        ...aFullRow().identity!,
        issuer: HOSTILE,
        subject: HOSTILE,
        user: HOSTILE,
        team: HOSTILE,
        roles: [HOSTILE],
        actor: { subject: HOSTILE, issuer: HOSTILE },
      },
    });

  test('gets no control character, bidi mark or invisible one from a line', () => {
    expect(line(everywhere())).not.toMatch(UNSAFE);
  });

  test('nor from a tree', () => {
    const tree = formatTree(everywhere(), [{ ...span('1'), name: HOSTILE }]);
    expect(tree.replaceAll('\n', '')).not.toMatch(UNSAFE);
    expect(tree.match(/^Decision/gm)).toHaveLength(1);
  });

  test('nor from JSON, which still says the same', () => {
    const json = toJson(everywhere());
    expect(json).not.toMatch(UNSAFE);
    expect(JSON.parse(json)).toMatchObject({ path: HOSTILE, roles: [HOSTILE] });
  });

  test('nor from an event, whatever its details', () => {
    const event = readEvent({ requestId: HOSTILE, details: { [HOSTILE]: HOSTILE } });
    expect(line(event)).not.toMatch(UNSAFE);
    expect(toJson(event)).not.toMatch(UNSAFE);
    expect(formatTree(event, []).replaceAll('\n', '')).not.toMatch(UNSAFE);
  });

  test('nor from any text there is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text)).not.toMatch(UNSAFE);
        expect(JSON.parse(toJson(read({ path: text })))).toMatchObject({ path: text });
      }),
    );
  });

  test('shows them spelled out', () => {
    expect(visible('\u001b[31m\u009b\u202e\u{e0041} \ud800 é 漢 😀')).toBe(
      '\\x1b[31m\\x9b\\u202e\\u{e0041} \\ud800 é 漢 😀',
    );
  });
});

describe('JSON', () => {
  test('has every field of a full row', () => {
    const parsed: unknown = JSON.parse(toJson(read({ ...aFullRow(), sequence: 3 })));
    expect(parsed).toEqual({
      kind: 'request',
      chain: CHAIN,
      sequence: 3,
      hash: HASH,
      time: '2026-11-20T10:35:14.561234Z',
      requestId: '4d032074-7bbc-4e5d-964f-000000000001',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      parentSpanId: 'b7ad6b7169203331',
      user: 'alice',
      issuer: 'https://login.example.com',
      subject: 'a-1',
      team: 'payments',
      type: 'agent',
      roles: ['engineer', 'Site Admins'],
      actor: { subject: 'deploy-agent', actor: { subject: 'robot', issuer: 'https://b.example' } },
      authMethod: 'bearer',
      method: 'GET',
      scheme: 'https',
      host: 'app.example.com',
      path: '/orders/17',
      query: 'page=2',
      protocol: 'HTTP/2.0',
      status: 200,
      durationMs: 12.345,
      skewMs: -0.25,
      decision: 'allow',
      reason: 'requirement-met',
      route: 'orders',
      requirement: 'team:payments',
      clientAddress: '192.0.2.7',
      peerAddress: '192.0.2.7',
      userAgent: 'curl/8.0',
      requestBytes: 0,
      responseBytes: 512,
      gate: {
        bootId: 'boot-1',
        number: 7,
        supersedes: 6,
        time: '2026-11-20T10:35:14.561534Z',
        durationMs: 0.064,
      },
      upstream: {
        address: '10.0.0.3:3000',
        time: '2026-11-20T10:35:14.562234Z',
        durationMs: 11,
        latencyMs: 9,
        retries: 1,
      },
      link: { traceId: '1af7651916cd43dd8448eb211c80319c', spanId: 'c7ad6b7169203331' },
      sampled: true,
    });
  });

  test('leaves out what is unknown', () => {
    const { identity: _identity, route: _route, ...bare } = aStoredRow();
    const parsed = JSON.parse(toJson({ ...bare, chain: CHAIN })) as object;
    const unknown = ['user', 'roles', 'gate', 'upstream', 'route', 'query', 'link', 'skewMs'];
    for (const key of [...unknown, 'forgotten', 'event', 'code', 'details']) {
      expect(parsed).not.toHaveProperty(key);
    }
  });

  test('of an event has its name, its code and its details, and nothing of a request', () => {
    const details = { provider: 'https://login.example.com', attempts: 2 };
    const { identity: _identity, ...event } = anEvent({ details });
    const parsed: unknown = JSON.parse(toJson({ ...readEvent(), ...event, identity: undefined! }));
    expect(parsed).toEqual({
      kind: 'event',
      chain: CHAIN,
      sequence: 2,
      hash: HASH,
      time: '2026-11-20T10:35:14.561234Z',
      requestId: 'sign-in:4d032074-7bbc-4e5d-964f-000000000001',
      traceId: '4d0320747bbc4e5d964f000000000001',
      route: 'signet',
      event: 'sign-in',
      code: 'SIG-101',
      details,
    });
  });

  test('of a lost decision names the user that is known by the name alone', () => {
    const { identity: _identity, ...lost } = readEvent({
      kind: 'lost',
      event: 'decision-lost',
      user: 'alice',
    });
    expect(JSON.parse(toJson(lost as ReadRow))).toMatchObject({
      kind: 'lost',
      code: 'SIG-303',
      user: 'alice',
    });
  });

  test('of a forgotten person says so, and has no empty text in place of what is gone', () => {
    const parsed = JSON.parse(toJson(forgotten())) as object;
    expect(parsed).toMatchObject({ forgotten: true, status: 200, route: 'orders' });
    for (const key of ['user', 'path', 'clientAddress', 'peerAddress', 'requirement']) {
      expect(parsed).not.toHaveProperty(key);
    }
  });

  test('is one line', () => {
    expect(toJson(read({ path: '/\n' }))).not.toContain('\n');
  });
});

describe('a tree', () => {
  const spans = [
    { ...span('gate', 'in'), startUs: 300, endUs: 364 },
    { ...span('in', 'the-caller'), startUs: 0, endUs: 10_000 },
    { ...span('up', 'in'), startUs: 1000, endUs: 9000 },
    { ...span('deep', 'up'), startUs: 5000, endUs: 6000 },
  ];

  test('draws children under their parents, by time, with bars to scale', () => {
    const tree = formatTree(read(), spans);
    const drawn = tree.split('\n').slice(-5, -1);
    expect(drawn.map((text) => text.slice(0, 12).trimEnd())).toEqual([
      'in',
      '├─ gate',
      '└─ up',
      '   └─ deep',
    ]);
    expect(drawn.map((text) => text.match(/█/g)?.length)).toEqual([40, 1, 32, 4]);
    expect(drawn[2]).toMatch(/\+1\.0 +8\.0 ms$/);
  });

  test('of a span that took no time has a bar within the others', () => {
    const [, root] = spans;
    const tree = formatTree(read(), [
      root!,
      { ...span('x', 'in'), startUs: 10_000, endUs: 10_000 },
    ]);
    expect(tree).toMatch(/└─ x .* {39}█ +\+10\.0 +0\.0 ms\n$/);
  });

  test('says who, on whose behalf, what, and what was decided', () => {
    const tree = formatTree(read(aFullRow()), []);
    for (const text of [
      /^User +alice$/m,
      /^Team +payments$/m,
      /^Type +agent$/m,
      /^Roles +engineer, Site Admins$/m,
      /^Acting +deploy-agent for robot \(https:\/\/b\.example\) on behalf of alice$/m,
      /^Subject +a-1 at https:\/\/login\.example\.com$/m,
      /^Request line +GET https:\/\/app\.example\.com\/orders\/17\?page=2 HTTP\/2\.0$/m,
      /^Status +200, 0 bytes in, 512 bytes out$/m,
      /^Decision +allow$/m,
      /^Reason +requirement-met$/m,
      /^Requirement +team:payments$/m,
      /^Route +orders$/m,
      /^Gate +decision 7 of boot boot-1, in place of number 6$/m,
      /^Upstream +10\.0\.0\.3:3000, answered after 9\.0 ms, 1 retries$/m,
      /^Time +2026-.*, 12\.3 ms, the gate's clock 0\.25 ms behind Caddy's$/m,
      /^Row +1 of chain 0b1f7a52-6a0e-4a3f-9c75-1d1f6f1f0001$/m,
      /^Hash +(ab){32}$/m,
    ]) {
      expect(tree).toMatch(text);
    }
  });

  test('of a refused and signed-out request says no more than is known', () => {
    const { identity: _identity, ...row } = aStoredRow({
      status: 401,
      decision: 'deny',
      reason: 'no-credentials',
    });
    const tree = formatTree({ ...row, chain: CHAIN }, []);
    expect(tree).toMatch(/^User +—$/m);
    expect(tree).toMatch(/^Decision +deny no-credentials$/m);
    expect(tree).not.toMatch(/^(Team|Roles|Acting|Upstream|Gate|Reason)/m);
  });

  test.each([
    ['team:', 'team: has an empty value'],
    [undefined, '`protect NAME` has no requirement behind it; write one, or `public`'],
    ['idp:staf', 'no provider or issuer had that name behind idp: then'],
  ])('of a block that was closed by mistake says what is wrong with %s', (requirement, problem) => {
    const { requirement: _requirement, ...row } = aStoredRow({ reason: 'requirement-invalid' });
    const tree = formatTree(
      { ...row, ...(requirement !== undefined && { requirement }), chain: CHAIN },
      [],
    );
    expect(tree.split('\n').find((line) => line.startsWith('Problem'))).toMatch(
      new RegExp(`^Problem +${problem}$`),
    );
  });

  test('of such a block has no problem where it is not known any more', () => {
    const { requirement: _requirement, ...row } = aStoredRow({ reason: 'requirement-invalid' });
    const tree = formatTree({ ...row, isForgotten: true, chain: CHAIN }, []);
    expect(tree).not.toMatch(/^Problem/m);
  });

  test('of an event has its code, its details, and no bars', () => {
    const tree = formatTree(readEvent({ details: { provider: 'b.example', attempts: 2 } }), []);
    for (const text of [
      /^Event +sign-in, SIG-101$/m,
      /^Id +sign-in:4d032074-7bbc-4e5d-964f-000000000001$/m,
      /^Trace +4d0320747bbc4e5d964f000000000001$/m,
      /^Details +provider: b\.example\n {13}attempts: 2$/m,
      /^User +alice$/m,
    ]) {
      expect(tree).toMatch(text);
    }
    expect(tree).not.toMatch(/█|^(Request|Status|Decision)/m);
  });

  test('of a forgotten person says so in place of what is gone', () => {
    const tree = formatTree(forgotten(), []);
    expect(tree).toMatch(/^User +\(forgotten\)$/m);
    expect(tree).toMatch(
      /^Request line +GET https:\/\/app\.example\.com \(forgotten\) HTTP\/2\.0$/m,
    );
    expect(tree).toMatch(/^Client +\(forgotten\)$/m);
  });
});

test('texts are cut and padded by characters, not by halves of them', () => {
  expect(cut('😀😀😀', 2)).toBe('😀…');
  expect(column('é', 3)).toBe('é  ');
  expect(isoTime(1)).toBe('1970-01-01T00:00:00.000001Z');
});

function span(spanId: string, parentSpanId?: string): TreeSpan {
  const parent = parentSpanId === undefined ? {} : { parentSpanId };
  return { name: spanId, kind: 'SERVER', spanId, startUs: 0, endUs: 1, ...parent };
}
