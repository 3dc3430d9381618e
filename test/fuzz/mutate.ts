// Lines and stamps as an attacker, a disk or a killed Caddy could leave them.
import { sealStamp } from '../../sidecar/stamp.ts';
import type { Random } from '../fixtures/random.ts';
import { withSeal } from '../fixtures/stamps.ts';
import { aStamp, oneOf, type World } from './world.ts';

type Mutation<T> = (value: T, world: World, random: Random) => T;

const KEYS = [
  'stamp',
  'uuid',
  'ts',
  'request',
  'status',
  'duration',
  'logger',
  'route',
  'proxied_ms',
  'size',
  '__proto__',
  'constructor',
  'toString',
  'x',
];
const NUMBERS = [
  '1e999',
  '-1',
  '-0',
  '1e-400',
  '9007199254740993',
  '18446744073709551616',
  '1795175142',
  '0.1',
  '1E3',
  '01',
  '+1',
  '.5',
  'NaN',
  'Infinity',
  `1${'0'.repeat(400)}`,
];
const BYTES = [0x00, 0x0a, 0x0d, 0x22, 0x5c, 0x7b, 0x7d, 0x2c, 0x3a, 0x80, 0xc0, 0xed, 0xf5, 0xff];

const LINE_MUTATIONS: readonly Mutation<Buffer>[] = [
  flipBits,
  cutEnd,
  cutBeginning,
  (line, world, random) => spliced(line, oneOf(random, world.lines), random),
  (line, _world, random) => without(line, random),
  (line, _world, random) => spliced(line, line, random),
  badBytes,
  (line, world, random) => withField(line, field(world, random), random),
  (line, world, random) => withField(line, `"stamp":"${mutatedStamp(world, random).text}"`, random),
  escapedKey,
  otherNumber,
  (line, world, random) =>
    replaced(line, /"stamp":"[^"]*"/, `"stamp":"${anyStamp(world, random)}"`),
  (line, world, random) =>
    replaced(line, /"uuid":"[^"]*"/, `"uuid":"${oneOf(random, world.requestIds)}"`),
  (line, _world, random) => replaced(line, /:/, `:${nested(random)}`),
  (line, world, random) => replaced(line, /"request":\{/, `"request":{${field(world, random)},`),
  (_line, _world, random) =>
    Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256))),
];

/** Returns one of the lines with one to three things done to it. */
export function mutatedLine(world: World, random: Random): Buffer {
  let line = oneOf(random, world.lines);
  for (let times = 1 + random.below(3); times > 0; times--) {
    line = oneOf(random, LINE_MUTATIONS)(line, world, random);
  }
  return line;
}

/** Returns the beginnings of some lines, and whole ones, glued together in any order. */
export function gluedLines(world: World, random: Random): { parts: Buffer[]; whole: Buffer[] } {
  const glued = Array.from({ length: 2 + random.below(3) }, () => {
    const line = oneOf(random, world.lines);
    const length = random.below(2) > 0 ? line.length : 1 + random.below(line.length);
    return { part: line.subarray(0, length), isWhole: length === line.length };
  });
  return {
    parts: glued.map(({ part }) => part),
    whole: glued.filter(({ isWhole }) => isWhole).map(({ part }) => part),
  };
}

const VERSIONS = ['0', '1', '2', '3', '11', '01', '', ' 1', '1.1', '2.', '2.2'];

const STAMP_MUTATIONS: readonly Mutation<string>[] = [
  (text, _world, random) => flipBits(Buffer.from(text), undefined, random).toString('latin1'),
  (text, _world, random) => text.slice(0, random.below(text.length + 1)),
  (text, _world, random) => text.slice(random.below(text.length + 1)),
  (text, world, random) => swapped(text, oneOf(random, world.stamps), random),
  (text, _world, random) => text.replace(/^[12]/, oneOf(random, VERSIONS)),
  (text) => `${text}=`,
  (text) => ` ${text}`,
  (text) => `${text}\n`,
  (text) => text.replaceAll('-', '+').replaceAll('_', '/'),
  (text, _world, random) => text.replaceAll('.', oneOf(random, ['..', '', ' ', '\u2024'])),
  (text) => text.toUpperCase(),
  lastCharacter,
  (text) => text + 'A'.repeat(70_000),
  (_text, world, random) => forged(world, random),
];

/** Returns a stamp's text that is another one's, damaged, forged, or as it was, and who shows it. */
export function mutatedStamp(world: World, random: Random): { text: string; requestId: string } {
  const original = oneOf(random, world.stamps);
  const requestId =
    random.below(3) > 0 ? (world.sealed.get(original) ?? '') : oneOf(random, world.requestIds);
  const isMutated = random.below(8) > 0;
  const text = isMutated ? oneOf(random, STAMP_MUTATIONS)(original, world, random) : original;
  return { text, requestId };
}

function flipBits(bytes: Buffer, _world: unknown, random: Random): Buffer {
  const flipped = Buffer.from(bytes);
  for (let times = 1 + random.below(3); times > 0 && bytes.length > 0; times--) {
    const at = random.below(bytes.length);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
  }
  return flipped;
}

function cutEnd(line: Buffer, _world: World, random: Random): Buffer {
  return line.subarray(0, random.below(line.length + 1));
}

function cutBeginning(line: Buffer, _world: World, random: Random): Buffer {
  return line.subarray(random.below(line.length + 1));
}

function spliced(line: Buffer, other: Buffer, random: Random): Buffer {
  const [end, from] = [random.below(line.length + 1), random.below(other.length + 1)];
  return Buffer.concat([line.subarray(0, end), other.subarray(from)]);
}

function without(line: Buffer, random: Random): Buffer {
  const from = random.below(line.length + 1);
  return Buffer.concat([line.subarray(0, from), line.subarray(from + random.below(50))]);
}

function badBytes(line: Buffer, _world: World, random: Random): Buffer {
  const bad = Buffer.from(line);
  for (let times = 1 + random.below(4); times > 0 && line.length > 0; times--) {
    bad[random.below(line.length)] = oneOf(random, BYTES);
  }
  return bad;
}

// At the top of the line, first or last: JSON.parse keeps the last.
function withField(line: Buffer, text: string, random: Random): Buffer {
  const json = line.toString('latin1');
  const inside = Buffer.from(text).toString('latin1');
  if (random.below(2) > 0)
    return Buffer.from(
      json.replace('{', () => `{${inside},`),
      'latin1',
    );
  return Buffer.from(
    json.replace(/\}$/, () => `,${inside}}`),
    'latin1',
  );
}

function field(world: World, random: Random): string {
  const key = oneOf(random, KEYS);
  const written = random.below(3) > 0 ? key : escaped(key, random.below(key.length));
  const space = oneOf(random, ['', ' ', '\t']);
  return `"${written}"${space}:${space}${value(world, random)}`;
}

function value(world: World, random: Random): string {
  const values = [
    `"${oneOf(random, world.stamps)}"`,
    `"${oneOf(random, world.requestIds)}"`,
    oneOf(random, NUMBERS),
    'null',
    'true',
    '{}',
    `{"stamp":"${oneOf(random, world.stamps)}","uuid":"x","status":200}`,
    nested(random),
    '"\\ud800"',
  ];
  return oneOf(random, values);
}

function nested(random: Random): string {
  const depth = random.below(100) > 0 ? random.below(20) : random.below(2000);
  const [open, close] = oneOf(random, [['[', ']'] as const, ['{"stamp":', '}'] as const]);
  const unclosed = random.below(4) > 0 ? 0 : 1;
  return `${open.repeat(depth)}1${close.repeat(Math.max(0, depth - unclosed))}`;
}

function escapedKey(line: Buffer, _world: World, random: Random): Buffer {
  const key = oneOf(random, KEYS);
  return replaced(line, new RegExp(`"${key}"`), `"${escaped(key, random.below(key.length))}"`);
}

function escaped(key: string, at: number): string {
  const code = key.charCodeAt(at).toString(16).padStart(4, '0');
  return `${key.slice(0, at)}\\u${code}${key.slice(at + 1)}`;
}

function otherNumber(line: Buffer, _world: World, random: Random): Buffer {
  const skip = random.below(8);
  let seen = 0;
  const number = oneOf(random, NUMBERS);
  const json = line.toString('latin1').replace(/(?<=:)-?\d[\d.]*/g, (text) => {
    seen += 1;
    return seen === skip + 1 ? number : text;
  });
  return Buffer.from(json, 'latin1');
}

function replaced(line: Buffer, what: RegExp, by: string): Buffer {
  return Buffer.from(
    line.toString('latin1').replace(what, () => by),
    'latin1',
  );
}

function anyStamp(world: World, random: Random): string {
  return random.below(2) > 0 ? oneOf(random, world.stamps) : forged(world, random);
}

// As it should be, but by a key that is in no ring, or of another version, or sealed for nobody, or as
// JSON without a seal.
function forged(world: World, random: Random): string {
  const made = aStamp(random, oneOf(random, world.requestIds), random.below(100));
  const key = oneOf(random, world.keys);
  const json = Buffer.from(JSON.stringify(made)).toString('base64url');
  const other = withSeal(`${oneOf(random, ['0', '3', '10', ''])}.${json}`, key);
  const short = withSeal(`2.${json}`, key, `.${made.requestId}`);
  const forNobody = withSeal(`2..${json}`, key);
  const foreign = sealStamp(made, world.foreignKey);
  return oneOf(random, [foreign, other, short, forNobody, `1.${json}.`, `2..${json}.`]);
}

function swapped(text: string, other: string, random: Random): string {
  const [parts, others] = [text.split('.'), other.split('.')];
  const at = random.below(parts.length);
  return parts.map((part, index) => (index === at ? others[index] : part)).join('.');
}

// base64url's last character has spare bits: another spelling of the same bytes.
function lastCharacter(text: string): string {
  const code = text.charCodeAt(text.length - 1);
  return text.slice(0, -1) + String.fromCharCode(code + 1);
}
