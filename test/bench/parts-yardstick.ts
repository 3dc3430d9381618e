// What this machine's core is worth: JSON.parse of a log line of 900 bytes. Other figures are read
// against it. Also the seal, which gate and recorder share.
import { randomBytes, randomUUID } from 'node:crypto';
import { openStamp, sealStamp } from '../../sidecar/stamp.ts';
import { linesOf, STAMP_KEY, stampOf } from './parts-inputs.ts';
import { measured, type PartFigure, type PartsOptions } from './parts-measure.ts';

/** Lines of other requests: the same text again and again would be read from the cache. */
const LINES = 2000;
const LINE_BYTES = 900;

/** Returns microseconds of CPU of `JSON.parse` for a line of 900 bytes, which is already a string. */
export function measureYardstick(options: PartsOptions): Promise<PartFigure> {
  const texts = yardstickLines(LINES);
  const parseAll = () => {
    for (const text of texts) JSON.parse(text);
  };
  return measured(`JSON.parse of ${LINE_BYTES} bytes`, options, LINES, parseAll, 'the yardstick');
}

/** Returns so many lines of 900 bytes, whatever Signet's stamps are like: the yardstick must not change. */
export function yardstickLines(count: number): string[] {
  return linesOf(count).map((line) => {
    const parsed = JSON.parse(line) as Record<string, unknown>;
    const rest = LINE_BYTES - JSON.stringify({ ...parsed, stamp: '' }).length;
    const stamp = randomBytes(LINE_BYTES).toString('base64url').slice(0, rest);
    return JSON.stringify({ ...parsed, stamp });
  });
}

/** Returns what sealing and opening take, and how long the text is. */
export async function measureStamp(options: PartsOptions): Promise<PartFigure[]> {
  const stamps = Array.from({ length: LINES }, (_, at) =>
    stampOf(at + 1, randomUUID(), Date.now() * 1000),
  );
  const sealed = stamps.map((stamp) => ({ text: sealStamp(stamp, STAMP_KEY), ...stamp }));
  const sealAll = () => {
    for (const stamp of stamps) sealStamp(stamp, STAMP_KEY);
  };
  const openAll = () => {
    for (const { text, requestId } of sealed) {
      if (openStamp(text, [STAMP_KEY], requestId) === undefined) throw new Error('a stamp is bad');
    }
  };
  const chars = sealed.reduce((sum, { text }) => sum + text.length, 0) / LINES;
  return [
    await measured('stamp: seal', options, LINES, sealAll),
    await measured('stamp: open', options, LINES, openAll),
    { name: 'stamp: length', value: chars, unit: 'characters', note: 'mean; full identity' },
  ];
}
