// W3C Trace Context and Baggage: what is read, carried on, begun anew. A row per clause.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  identityBaggage,
  joinBaggage,
  MAX_BYTES,
  MAX_MEMBERS,
} from '../../sidecar/trace/baggage.ts';
import { MAX_CLAIM_CHARS } from '../../sidecar/identity/identity.ts';
import { isTrusted, traceContext } from '../../sidecar/trace/context.ts';
import type { IsSampled } from '../../sidecar/trace/sampling.ts';
import { isUuid, spanIdsOf, traceIdOf, upstreamSpanIdOf } from '../../sidecar/trace/ids.ts';
import { formatTraceparent, parseTraceparent } from '../../sidecar/trace/traceparent.ts';
import { carryTracestate } from '../../sidecar/trace/tracestate.ts';

const UUID = '4d032074-7bbc-4e5d-964f-a0f15a34b6f6';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const VALID = `00-${TRACE}-${SPAN}-01`;

describe('one id', () => {
  test('the trace id is the request id without dashes, the span ids are its halves', () => {
    expect(traceIdOf(UUID)).toBe('4d0320747bbc4e5d964fa0f15a34b6f6');
    expect(spanIdsOf(UUID)).toMatchObject({
      ingress: '4d0320747bbc4e5d',
      upstream: '964fa0f15a34b6f6',
    });
    expect(upstreamSpanIdOf(UUID)).toBe(spanIdsOf(UUID).upstream);
  });

  test('the gate span id is 16 hex digits, the same each time, and neither of the halves', () => {
    const { gate, ingress, upstream } = spanIdsOf(UUID);
    expect(gate).toMatch(/^[0-9a-f]{16}$/);
    expect(gate).toBe(spanIdsOf(UUID.toUpperCase()).gate);
    expect([ingress, upstream]).not.toContain(gate);
  });

  test.each(['', 'x', `${UUID}0`, UUID.slice(1), UUID.replace('4', 'g')])(
    '%j is no request id',
    (text) => expect(isUuid(text)).toBe(false),
  );
});

describe('traceparent', () => {
  test('a valid one is read', () => {
    expect(parseTraceparent(VALID)).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      sampled: true,
      random: false,
    });
  });

  test.each([
    ['version ff', `ff-${TRACE}-${SPAN}-01`],
    ['trace id of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['span id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['54 characters', VALID.slice(0, 54)],
    ['56 characters', `${VALID}0`],
    ['version 00 with more', `${VALID}-more`],
    ['two headers', `${VALID}, ${VALID}`],
    ['a higher version without a dash before its more', `01-${TRACE}-${SPAN}-01more`],
    ['flags that are no hex', `00-${TRACE}-${SPAN}-0x`],
    ['nothing', ''],
    ['spaces around', ` ${VALID} `],
  ])('%s is ignored as a whole', (_, text) => expect(parseTraceparent(text)).toBeUndefined());

  test('a higher version is read for its known part and answered as 00', () => {
    const parsed = parseTraceparent(`cc-${TRACE}-${SPAN}-03-what-the-future-brings`);
    expect(parsed).toMatchObject({ traceId: TRACE, sampled: true, random: true });
    expect(formatTraceparent(parsed!)).toBe(`00-${TRACE}-${SPAN}-03`);
  });

  test('unknown flags go out as zero', () => {
    expect(formatTraceparent(parseTraceparent(`00-${TRACE}-${SPAN}-ff`)!)).toMatch(/-03$/);
  });

  test('no text makes it throw, and what it reads it writes back as it came', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parseTraceparent(text);
        return parsed === undefined || formatTraceparent(parsed).length === 55;
      }),
    );
  });
});

describe('tracestate', () => {
  test.each([
    ['a=1,b=2', 'a=1,b=2'],
    [' a=1 ,\tb=2', 'a=1,b=2'],
    ['a=1,,b=2', 'a=1,b=2'],
    ['fw529a3039@dt=FfAK', 'fw529a3039@dt=FfAK'],
  ])('%j is carried as %j', (text, carried) => expect(carryTracestate(text)).toBe(carried));

  test.each(['a', 'A=1', 'a=1,a=2', '=1', 'a=1=2', 'a=é', 'a =1'])(
    '%j is discarded as a whole',
    (text) => expect(carryTracestate(text)).toBeUndefined(),
  );

  test('32 members are carried, and a list of 33 is discarded as a whole', () => {
    const list = (length: number) => Array.from({ length }, (_, i) => `k${i}=v`).join(',');
    expect(carryTracestate(list(32))).toBe(list(32));
    expect(carryTracestate(list(33))).toBeUndefined();
  });

  test('only spaces and tabs around a member are none of it', () => {
    expect(carryTracestate('a=1\u00a0')).toBeUndefined();
  });

  test('when there is too much, members over 128 characters go first', () => {
    const long = `long=${'x'.repeat(200)}`;
    const text = ['first=1', long, `other=${'y'.repeat(200)}`, `s=${'z'.repeat(120)}`].join(',');
    expect(carryTracestate(text)).toBe(`first=1,s=${'z'.repeat(120)}`);
  });

  test('512 characters are carried as they are', () => {
    const members = [`a=${'x'.repeat(253)}`, `b=${'y'.repeat(254)}`].join(',');
    expect(members).toHaveLength(512);
    expect(carryTracestate(members)).toBe(members);
  });
});

describe('baggage', () => {
  const OURS = 'user.id=alice,team=payments,user_type=human';

  test('ours are percent-encoded, and what is unknown is left out', () => {
    expect(identityBaggage({ user: 'a,b;c=d"%\n😀', type: 'human' })).toBe(
      'user.id=a%2Cb%3Bc%3Dd%22%25%0A%F0%9F%98%80,user_type=human',
    );
  });

  test('who acts on the user’s behalf is told by the latest actor and how many there are', () => {
    const actor = { subject: 'review, agent', actor: { subject: 'deploy-agent' } };
    expect(identityBaggage({ user: 'alice', type: 'agent', actor })).toBe(
      'user.id=alice,user_type=agent,signet.actor.subject=review%2C%20agent,signet.actor.depth=2',
    );
  });

  test('ours are within the limits, whatever the values hold', () => {
    const worst = '\uffff'.repeat(MAX_CLAIM_CHARS); // three bytes, nine characters when encoded
    const actor = { subject: worst };
    const ours = identityBaggage({ user: worst, team: worst, type: 'agent', actor });
    expect(ours.length).toBeLessThanOrEqual(MAX_BYTES);
    expect(joinBaggage(ours, 'keep=1')).toBe(`${ours},keep=1`);
  });

  test.each([
    'signet.actor.subject=admin',
    'signet.actor.depth=0',
    'SIGNET.Actor.Subject=admin',
    'signet%2Eactor.subject=admin',
    '%73ignet.actor.subject=admin',
    'signet.anything=x',
    ' signet.actor.subject = admin ;p=1',
  ])('a caller cannot put an agent beside a user: %s', (theirs) => {
    expect(joinBaggage(OURS, `${theirs},keep=1`)).toBe(`${OURS},keep=1`);
  });

  test('case 38: a caller cannot speak for somebody else, in whatever spelling', () => {
    const theirs = 'user.id=admin, team=root ,USER.ID=x,user%2Eid=y,user_type=service;p=1,keep=1';
    expect(joinBaggage(OURS, theirs)).toBe(`${OURS},keep=1`);
  });

  test('malformed members are dropped, the others kept with their properties', () => {
    expect(joinBaggage(OURS, 'a,=1,b=1;p=2,c=\u00e9,d="x"')).toBe(`${OURS},b=1;p=2`);
  });

  test('at most 64 members and 8192 bytes, and only whole members', () => {
    const many = Array.from({ length: 100 }, (_, i) => `k${i}=v`).join(',');
    expect(joinBaggage(OURS, many).split(',')).toHaveLength(MAX_MEMBERS);
    const big = Array.from({ length: 40 }, (_, i) => `k${i}=${'v'.repeat(500)}`).join(',');
    const joined = joinBaggage(OURS, big);
    expect(joined.length).toBeLessThanOrEqual(MAX_BYTES);
    expect(joined.split(',').every((m) => OURS.includes(m) || m.length >= 500)).toBe(true);
  });
});

describe('whose trace goes on', () => {
  test.each([
    ['bearer', 'bearer', true],
    ['bearer', 'session', false],
    ['bearer', undefined, false],
    ['authenticated', 'session', true],
    ['authenticated', undefined, false],
    ['always', undefined, true],
    ['never', 'bearer', false],
  ] as const)('trust %s, caller %s: %s', (trust, method, trusted) =>
    expect(isTrusted(trust, method)).toBe(trusted),
  );

  const caller = { traceparent: `00-${TRACE}-${SPAN}-00`, tracestate: 'a=1', baggage: 'x=1' };
  const sampled: IsSampled = () => true;
  const contextOf = (trusted: boolean, changes = {}, isSampled = sampled, ours = '') =>
    traceContext(UUID, { ...caller, ...changes }, trusted, ours, isSampled);

  test('a trusted caller keeps its trace id; the span ids come from the request id', () => {
    expect(contextOf(true, {}, sampled, 'user.id=bob')).toEqual({
      traceId: TRACE,
      parentSpanId: SPAN,
      sampled: true,
      headers: {
        traceparent: `00-${TRACE}-964fa0f15a34b6f6-01`,
        tracestate: 'a=1',
        baggage: 'user.id=bob,x=1',
      },
      serverTiming: `trace;desc="00-${TRACE}-4d0320747bbc4e5d-01"`,
    });
  });

  test('anyone else begins anew with the random flag, is linked to, and loses state and baggage', () => {
    expect(contextOf(false)).toEqual({
      traceId: traceIdOf(UUID),
      link: { traceId: TRACE, spanId: SPAN },
      sampled: true,
      headers: { traceparent: `00-${traceIdOf(UUID)}-964fa0f15a34b6f6-03` },
      serverTiming: `trace;desc="00-${traceIdOf(UUID)}-4d0320747bbc4e5d-03"`,
    });
  });

  test('a malformed traceparent of a trusted caller takes its tracestate with it', () => {
    expect(contextOf(true, { traceparent: 'x' }).headers).toEqual({
      traceparent: `00-${traceIdOf(UUID)}-964fa0f15a34b6f6-03`,
      baggage: 'x=1',
    });
  });

  test('who decides about sampling is asked with the trace that goes on, and the flag it came with', () => {
    const asked: unknown[] = [];
    const ask: IsSampled = (...about) => asked.push(about) > 0;
    contextOf(true, {}, ask);
    contextOf(true, { traceparent: VALID }, ask);
    expect(asked).toEqual([
      [TRACE, false],
      [TRACE, true],
    ]);
  });

  test('the flag of a caller who is not trusted is not even told', () => {
    const asked: unknown[] = [];
    contextOf(false, { traceparent: VALID }, (...about) => asked.push(about) > 0);
    expect(asked).toEqual([[traceIdOf(UUID), undefined]]);
  });

  test('what is not sampled says so to the app and to the browser', () => {
    const { headers, serverTiming, ...context } = contextOf(false, {}, () => false);
    expect(context.sampled).toBe(false);
    expect([headers.traceparent, serverTiming]).toEqual([
      expect.stringMatching(/-02$/),
      expect.stringMatching(/-02"$/),
    ]);
  });

  test('OpenTelemetry’s member of a tracestate goes on as it came', () => {
    const tracestate = 'ot=th:8;rv:0123456789abcd,a=1';
    expect(contextOf(true, { tracestate }).headers.tracestate).toBe(tracestate);
  });
});
