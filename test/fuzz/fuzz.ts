// The fuzzing itself: so many inputs from one seed, each checked against the properties. The first that
// breaks one is made as small as can be, and thrown.
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, type Random } from '../fixtures/random.ts';
import { checkLinearTime } from './linear-time.ts';
import { gluedLines, mutatedLine, mutatedStamp } from './mutate.ts';
import {
  fileFault,
  glueFault,
  lineFault,
  sealFault,
  stampFault,
  type Tally,
} from './properties.ts';
import { shrink } from './shrink.ts';
import { aStamp, makeWorld, oneOf, type World } from './world.ts';

export type Summary = {
  readonly inputs: number;
  readonly tally: Tally;
  readonly slowest: { readonly what: string; readonly ratio: number };
};

/** Inputs in a file of lines. */
const LINES_A_FILE = 400;
/** Beside each such file, so many of each other sort. */
const OTHERS = 100;

/** Checks so many inputs; throws the smallest one that is found to break a property. */
export function fuzz(options: {
  readonly count: number;
  readonly seed: number;
  readonly onProgress?: (inputs: number) => void;
}): Summary {
  const random = createRandom(options.seed);
  const world = makeWorld(random);
  const tally: Tally = {};
  const folder = mkdtempSync(join(tmpdir(), 'signet-fuzz-'));
  const fd = openSync(join(folder, 'lines'), 'w+');
  let inputs = 0;
  try {
    while (inputs < options.count) {
      inputs += checkFile(fd, world, random, tally);
      for (let times = 0; times < OTHERS; times++) inputs += checkOthers(world, random, tally);
      options.onProgress?.(inputs);
    }
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
  return { inputs, tally, slowest: checkLinearTime(world.keys) };
}

// Lines as they are read: out of a file, in batches, and then each by itself.
function checkFile(fd: number, world: World, random: Random, tally: Tally): number {
  const lines = Array.from({ length: LINES_A_FILE }, () => mutatedLine(world, random));
  const content = Buffer.concat(lines.flatMap((line) => [line, NEWLINE]));
  const cut = content.subarray(0, content.length - random.below(3));
  const limits = {
    maxLineBytes: oneOf(random, [10, 500, 900, 100_000]),
    maxBatchBytes: oneOf(random, [1, 1000, 100_000]),
    maxBatchLines: 1 + random.below(100),
  };
  const isFailing = (bytes: Buffer) => fileFaultOf(fd, bytes, limits) !== undefined;
  failing('file', cut, fileFaultOf(fd, cut, limits), isFailing);
  for (const line of lines) {
    const faultOf = (bytes: Buffer) => lineFault(bytes, world, tally);
    failing('line', line, faultOf(line), (bytes) => faultOf(bytes) !== undefined);
  }
  return lines.length;
}

function fileFaultOf(fd: number, content: Buffer, limits: Parameters<typeof fileFault>[2]) {
  ftruncateSync(fd);
  writeSync(fd, content, 0, content.length, 0);
  return fileFault(fd, content, limits);
}

function checkOthers(world: World, random: Random, tally: Tally): number {
  const glued = gluedLines(world, random);
  failing('glued', Buffer.concat(glued.parts), glueFault(glued, world, tally));
  const { text, requestId } = mutatedStamp(world, random);
  const faultOf = (bytes: Buffer) => stampFault(bytes.toString(), requestId, world, tally);
  failing(
    'stamp',
    Buffer.from(text),
    stampFault(text, requestId, world, tally),
    (bytes) => faultOf(bytes) !== undefined,
  );
  const made = aStamp(random, oneOf(random, world.requestIds), random.below(2 ** 32));
  const fault = sealFault(made, oneOf(random, world.keys), world.foreignKey);
  failing('seal', Buffer.from(JSON.stringify(made)), fault);
  return 3;
}

function failing(
  kind: string,
  input: Buffer,
  fault: string | undefined,
  isFailing?: (input: Buffer) => boolean,
): void {
  if (fault === undefined) return;
  const smallest = isFailing === undefined ? input : shrink(input, isFailing);
  throw new Error(`${kind}: ${fault}\n  ${JSON.stringify(smallest.toString('latin1'))}`);
}

const NEWLINE = Buffer.from('\n');
