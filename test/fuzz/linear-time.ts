// Texts that make careless code slow: for each, ten times as much of it at once must not take much
// longer than a tenth of it ten times.
import type { KeyObject } from 'node:crypto';
import { readEntries } from '../../sidecar/accesslog/entries.ts';
import { openStamp } from '../../sidecar/stamp.ts';
import { NOW_US } from './world.ts';

/** How many times as long the long text is. */
const TIMES = 10;
/** How much longer it may take than the short one so many times; a quadratic one would be at 10. */
const MAX_RATIO = 4;
/** What is over so soon can't be compared, and harms nobody. */
const SOON_MS = 5;
const SHORT_BYTES = 20_000;

const LINE_UNITS = [
  '{"level":"',
  '{"level":"info"}',
  '{"level":"info","stamp":"x',
  '"stamp":',
  '"stamp":"',
  '"stamp" ',
  '"user_id":"\\',
  ',"stamp":1',
  '"\\u0073tamp":1,',
  '"',
  '\\',
  '\\"',
  '{',
  '[',
  '{"a":',
  '}',
  ' ',
  '9',
  'a',
  '.',
  '\u0000',
  '\ufffd',
  '\u{1f600}',
];

/** A line around so much of something, so that it is JSON with all that is needed. */
const FRAMES: readonly ((filler: string) => string)[] = [
  (filler) => filler,
  (filler) => `{"level":"info","stamp":"${filler}"}`,
  (filler) => `${LINE.slice(0, -1)},"x":${JSON.stringify(filler)}}`,
  (filler) => `${LINE.slice(0, -1)},${JSON.stringify(filler)}:1}`,
  (filler) => LINE.replace('app.example.com', () => JSON.stringify(filler).slice(1, -1)),
];
const LINE = JSON.stringify({
  level: 'info',
  ts: 1795175142.3,
  request: { method: 'GET', host: 'app.example.com', uri: '/' },
  duration: 0.1,
  status: 200,
});

export type Slowest = { readonly what: string; readonly ratio: number };

/** Lets some work see a text of so much of one unit. */
export type See = (what: string, work: (text: string) => unknown, unit: string) => void;

/** Returns the ratio of the worst of all that is seen, and what that was. Throws when one is not linear. */
export function slowestOf(seeAll: (see: See) => void, shortBytes = SHORT_BYTES): Slowest {
  let worst: Slowest = { what: 'none takes long enough to tell', ratio: 0 };
  seeAll((what, work, unit) => {
    const ratio = surelyRatioOf(work, unit.repeat(shortBytes / Buffer.byteLength(unit)));
    const found = { what: `${what} of ${JSON.stringify(unit)}`, ratio };
    if (ratio > MAX_RATIO) throw new Error(`not linear: ${found.what}: ${ratio}`);
    if (ratio > worst.ratio) worst = found;
  });
  return worst;
}

/** Returns the slowest of what reads lines and stamps. Throws when one is not linear. */
export function checkLinearTime(keys: readonly KeyObject[]): Slowest {
  return slowestOf((see) => seeLines(see, keys));
}

function seeLines(see: See, keys: readonly KeyObject[]): void {
  for (const unit of LINE_UNITS) {
    FRAMES.forEach((frame, number) => {
      see(`readEntries (${number})`, (text) => readEntries(Buffer.from(frame(text)), NOW_US), unit);
    });
    see('openStamp', (text) => openStamp(`1.${text}.${text}`, keys, 'x'), unit);
    see('openStamp', (text) => openStamp(`2.${text}.${text}.${text}`, keys, 'x'), unit);
    see('openStamp', (text) => openStamp(text, keys, 'x'), unit);
  }
}

// What is quadratic is so each time; what was disturbed is not.
function surelyRatioOf(work: (text: string) => unknown, short: string): number {
  let ratio = ratioOf(work, short);
  const isDoubtful = (times: number) => times < (ratio > MAX_RATIO ? 10 : 3);
  for (let times = 0; isDoubtful(times) && ratio > MAX_RATIO / 2; times++) {
    ratio = Math.min(ratio, ratioOf(work, short));
  }
  return ratio;
}

// Against ten times the short one, not one: both are then as long, and as likely to be disturbed.
function ratioOf(work: (text: string) => unknown, short: string): number {
  const long = short.repeat(TIMES);
  const shortTimes = () => {
    for (let times = 0; times < TIMES; times++) work(short);
  };
  shortTimes(); // not what compiling costs
  const longMs = shortestMs(() => work(long));
  return longMs < SOON_MS ? 0 : longMs / shortestMs(shortTimes);
}

function shortestMs(work: () => unknown): number {
  let shortest = Infinity;
  for (let times = 0; times < 3; times++) {
    const began = performance.now();
    work();
    shortest = Math.min(shortest, performance.now() - began);
  }
  return shortest;
}
