// What holds of the trace headers that a caller may send, whatever they are: `traceparent`, `tracestate`, `baggage`.
// The independent reading is OpenTelemetry's own, which is what most apps behind Signet have.
import { propagation, ROOT_CONTEXT } from '@opentelemetry/api';
import { parseTraceParent, TraceState, W3CBaggagePropagator } from '@opentelemetry/core';
import {
  identityBaggage,
  joinBaggage,
  MAX_BYTES,
  MAX_MEMBERS,
} from '../../sidecar/trace/baggage.ts';
import { formatTraceparent, parseTraceparent } from '../../sidecar/trace/traceparent.ts';
import {
  carryTracestate,
  MAX_CHARS,
  MAX_MEMBERS as MAX_STATES,
} from '../../sidecar/trace/tracestate.ts';
import type { Tally } from './properties.ts';
import { count, HEADER_TEXT, type Subject } from './subject.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

/** Returns so many members with values of so many characters. */
function manyMembers(count: number, chars: number): string {
  return Array.from({ length: count }, (_, index) => `k${index}=${'v'.repeat(chars)}`).join(',');
}

export const TRACEPARENT: Subject = {
  name: 'traceparent',
  seeds: [
    ...[
      `00-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${'0'.repeat(32)}-${SPAN}-01`,
    ],
    `cc-${TRACE}-${SPAN}-03-what-comes-later`,
  ],
  units: ['-', '00', 'ff', 'FF', '0'.repeat(32), '0'.repeat(16), TRACE, SPAN, ',', ' ', '\t', 'g'],
  faultOf: traceparentFault,
  work: parseTraceparent,
  frames: [(filler) => filler, (filler) => `cc-${TRACE}-${SPAN}-01-${filler}`],
  reached: ['traceparent read', 'traceparent ignored'],
};

function traceparentFault(text: string, tally: Tally): string | undefined {
  const found = parseTraceparent(text);
  count(tally, found === undefined ? 'traceparent ignored' : 'traceparent read');
  const others = parseTraceParent(text);
  // Theirs takes a space at either end, which a header's value never has.
  if (found === undefined) {
    return others === null || /^\s|\s$/.test(text) || /[\r\n]/.test(text)
      ? undefined
      : 'another reader goes on with it';
  }
  if (others?.traceId !== found.traceId || others.spanId !== found.spanId) return 'read as another';
  if (((others.traceFlags & 1) === 1) !== found.sampled) return 'another reader samples otherwise';
  const again = parseTraceparent(formatTraceparent(found));
  const isSame = JSON.stringify(again) === JSON.stringify(found);
  return isSame ? undefined : 'written anew it is read as another';
}

export const TRACESTATE: Subject = {
  name: 'tracestate',
  seeds: [
    'congo=t61rcWkgMzE,rojo=00f067aa0ba902b7',
    'ot=th:8',
    'fw529a3039@dt=FfAQAAAA, a=1\t, b=2',
    manyMembers(31, 30),
    manyMembers(40, 1),
  ],
  units: [
    ',',
    '=',
    '@',
    ' ',
    '\t',
    ' , ',
    'a=1',
    'a=1,',
    'k9/*-_=v v',
    `${'k'.repeat(256)}=v`,
    `b=${'v'.repeat(256)}`,
  ],
  faultOf: tracestateFault,
  work: carryTracestate,
  frames: [(filler) => filler, (filler) => `a=b${filler}c`, (filler) => `a=1,${filler}b=2`],
  reached: ['tracestate carried on', 'tracestate dropped'],
};

const STATE_KEY = /^[a-z0-9][a-z0-9_\-*/@]{0,255}$/;
const STATE_VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

function tracestateFault(text: string, tally: Tally): string | undefined {
  const carried = carryTracestate(text);
  count(tally, carried === undefined ? 'tracestate dropped' : 'tracestate carried on');
  if (carried === undefined) return undefined;
  if (carried.length > MAX_CHARS) return `${carried.length} characters`;
  const members = carried.split(',').map((member) => member.split(/=(.*)/s));
  if (members.length > MAX_STATES) return `${members.length} members`;
  const isValid = members.every(
    ([key = '', value = '']) => STATE_KEY.test(key) && STATE_VALUE.test(value),
  );
  if (!isValid) return 'a member is none';
  if (new Set(members.map(([key]) => key)).size < members.length) return 'a key stands there twice';
  if (carryTracestate(carried) !== carried) return 'carried on again it is another';
  return lostState(carried, members);
}

function lostState(carried: string, members: readonly string[][]): string | undefined {
  const theirs = new TraceState(carried);
  const lost = members.find(([key = '', value]) => theirs.get(key) !== value);
  return lost && `another reader reads ${lost[0]} as ${theirs.get(lost[0] ?? '')}`;
}

const WHO = {
  user: 'alice',
  team: 'payments',
  type: 'agent',
  actor: { subject: 'robot' },
} as const;
const OURS = identityBaggage(WHO);

export const BAGGAGE: Subject = {
  name: 'baggage',
  seeds: [
    'userId=sergey,serverNode=DF%2028,isProduction=false',
    'key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue',
    'user.id=admin,team=root,keep=1',
    ...[manyMembers(70, 1), manyMembers(30, 400)],
  ],
  units: [
    ...[
      ',',
      '=',
      ';',
      ' ',
      '\t',
      ' = ',
      '; ',
      'a=1',
      'b=%41',
      'c=%zz',
      'd="x"',
      ';p',
      ';p=q',
      '=,',
    ],
    ...[
      'user.id=root',
      'USER.ID=root',
      'user%2Eid=root',
      'user%252eid=x',
      'team=root',
      'signet.x=1',
    ],
    ...[
      'signet.actor.depth=0',
      '%73ignet.a=1',
      'user\u00a0.id=x',
      'user.id\u00a0=root',
      `x=${'v'.repeat(600)}`,
    ],
  ],
  faultOf: baggageFault,
  work: (text) => joinBaggage(OURS, text),
  frames: [(filler) => filler, (filler) => `a=b;${filler}`, (filler) => `a${filler}=b`],
  reached: ['baggage members kept', 'baggage of ours alone'],
};

const BAGGAGE_MEMBER =
  /^[!#$%&'*+\-.^_`|~\w]+[ \t]*=[ \t]*(?:[\x21\x23\x24\x26-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]|%[0-9a-f]{2})*[ \t]*(?:;.*)?$/i;
const PROPERTY =
  /^[ \t]*[!#$%&'*+\-.^_`|~\w]+[ \t]*(?:=[ \t]*(?:[\x21\x23\x24\x26-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]|%[0-9a-f]{2})*[ \t]*)?$/i;

function baggageFault(text: string, tally: Tally): string | undefined {
  const joined = joinBaggage(OURS, text);
  count(tally, joined === OURS ? 'baggage of ours alone' : 'baggage members kept');
  if (joined !== OURS && !joined.startsWith(`${OURS},`))
    return 'ours do not stand first, as they were';
  if (!HEADER_TEXT.test(joined)) return 'it holds what no header may';
  if (joined.length > MAX_BYTES) return `${joined.length} bytes`;
  const members = joined.split(',');
  if (members.length > MAX_MEMBERS) return `${members.length} members`;
  const broken = members.find((member) => !isMember(member));
  if (broken !== undefined) return `a member is none: ${JSON.stringify(broken)}`;
  if (joinBaggage(OURS, joined) !== joined) return 'joined again it is another';
  return impostor(joined, members);
}

function isMember(member: string): boolean {
  const [, ...properties] = member.split(';');
  return BAGGAGE_MEMBER.test(member) && properties.every((property) => PROPERTY.test(property));
}

const READER = new W3CBaggagePropagator();
const HEADER = { get: (carrier: string) => carrier, keys: () => ['baggage'] };

// OpenTelemetry's reader has a bound of its own, below ours: what it does not read is nobody's.
function impostor(joined: string, members: readonly string[]): string | undefined {
  const bag = propagation.getBaggage(READER.extract(ROOT_CONTEXT, joined, HEADER));
  if (joined.length < 4096 && bag?.getEntry('user.id')?.value !== WHO.user) {
    return `another reader takes ${bag?.getEntry('user.id')?.value} for the user`;
  }
  const names = members.map((member) => member.split(/[=;]/, 1)[0]?.trim().toLowerCase());
  const ours = names.slice(0, OURS.split(',').length);
  return names.slice(ours.length).some((name) => ours.includes(name))
    ? 'a name of ours twice'
    : undefined;
}
