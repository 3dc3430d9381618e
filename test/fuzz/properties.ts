// What holds for every input of the log reader and of the stamp, whatever it is. Each check returns
// what is wrong, or undefined.
import { hash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { readEntries, type Read } from '../../sidecar/accesslog/entries.ts';
import type { Entry } from '../../sidecar/accesslog/line.ts';
import { EARLIEST_US, MAX_AHEAD_US } from '../../sidecar/accesslog/plausible.ts';
import { readLines, type Limits } from '../../sidecar/accesslog/read-lines.ts';
import { openStamp, sealStamp, type Stamp } from '../../sidecar/stamp.ts';
import { NOW_US } from './world.ts';

/** What is known to be true: which stamps were sealed, for whom. */
export type Truth = {
  readonly keys: readonly KeyObject[];
  readonly sealed: ReadonlyMap<string, string>;
};

/** Counts of what came out, to see that not everything is refused. */
export type Tally = Record<string, number>;

const OWN_OF_ALL = Object.getOwnPropertyNames(Object.prototype).join();

/** A line, whatever its bytes: no throw, all bytes accounted for, no stamp believed that is not its own. */
export function lineFault(line: Buffer, truth: Truth, tally: Tally): string | undefined {
  const read = readOrFault(line);
  if (typeof read === 'string') return read;
  for (const { reason } of read.setAside) count(tally, `set aside: ${reason}`);
  return coverageFault(line, read) ?? headFault(read) ?? forgeryFault(read, truth, tally);
}

/** Beginnings of lines and whole ones, glued together: the whole ones come out, and nothing else. */
export function glueFault(
  { parts, whole }: { readonly parts: readonly Buffer[]; readonly whole: readonly Buffer[] },
  truth: Truth,
  tally: Tally,
): string | undefined {
  const glued = Buffer.concat(parts);
  const read = readOrFault(glued);
  if (typeof read === 'string') return read;
  const [wanted, found] = [whole, read.entries.map(({ bytes }) => bytes)];
  const isSame =
    found.length === wanted.length && found.every((bytes, at) => wanted[at]?.equals(bytes));
  if (!isSame) return `of ${wanted.length} whole lines ${found.length} came out, or others`;
  return coverageFault(glued, read) ?? forgeryFault(read, truth, tally);
}

/** A stamp opens exactly if it is one that the ring sealed for this request, byte for byte. */
export function stampFault(
  text: string,
  requestId: string | undefined,
  { keys, sealed }: Truth,
  tally: Tally,
): string | undefined {
  const opened = attempt(() => openStamp(text, keys, requestId));
  if ('threw' in opened) return `openStamp threw: ${opened.threw}`;
  const isGenuine = requestId !== undefined && sealed.get(text) === requestId;
  count(tally, opened.value === undefined ? 'stamps refused' : 'stamps opened');
  if ((opened.value !== undefined) === isGenuine) return undefined;
  return isGenuine ? 'a genuine stamp was refused' : 'a stamp was opened that nobody sealed';
}

/** What was sealed opens to the same, with the ring, and to nothing without its key. */
export function sealFault(stamp: Stamp, key: KeyObject, other: KeyObject): string | undefined {
  const text = sealStamp(stamp, key);
  const opened = openStamp(text, [other, key], stamp.requestId);
  if (!isSame(opened, stamp)) return 'a stamp opened to something else';
  if (openStamp(text, [other], stamp.requestId) !== undefined) return 'another key opened it';
  return /^[\w.-]+$/.test(text) ? undefined : 'a stamp holds a character that may need quotes';
}

// As JSON, which has no undefined.
function isSame(opened: Stamp | undefined, stamp: Stamp): boolean {
  const [found, wanted] = [opened ?? null, stamp].map((one) => JSON.parse(JSON.stringify(one)));
  return isDeepStrictEqual(found, wanted);
}

/** A file is read as a simple splitting of it would read it, whatever the batches. */
export function fileFault(fd: number, content: Buffer, limits: Limits): string | undefined {
  const expected = splitLines(content, limits.maxLineBytes);
  let [offset, at] = [0, 0];
  for (;;) {
    const read = readLines(fd, offset, true, limits);
    if (read === undefined) break;
    if (read.consumed <= 0) return 'a batch without an end';
    offset += read.consumed;
    const found = [
      ...read.lines.map(({ bytes }) => hash('sha256', bytes, 'hex')),
      ...read.setAside.map((line) => `${line.reason} ${line.hash} ${line.bytes}`),
    ].toSorted();
    const wanted = expected.slice(at, at + found.length).toSorted();
    at += found.length;
    if (found.join() !== wanted.join()) return `another line than there is, near line ${at}`;
  }
  if (offset !== content.length) return `${content.length - offset} bytes were left`;
  return at === expected.length ? undefined : `${expected.length - at} lines were left`;
}

function splitLines(content: Buffer, maxLineBytes: number): string[] {
  const lines: string[] = [];
  for (let from = 0; from < content.length;) {
    const newline = content.indexOf(0x0a, from);
    const line = content.subarray(from, newline < 0 ? undefined : newline);
    const sha256 = hash('sha256', line, 'hex');
    const isWhole = newline >= 0 || line.at(-1) === 0x7d;
    if (line.length > maxLineBytes) lines.push(`too-long ${sha256} ${line.length}`);
    else lines.push(isWhole ? sha256 : `half-line ${sha256} ${line.length}`);
    from += line.length + 1;
  }
  return lines;
}

function readOrFault(line: Buffer): Read | string {
  const read = attempt(() => readEntries(line, NOW_US));
  if ('threw' in read) return `readEntries threw: ${read.threw}`;
  if (Object.getOwnPropertyNames(Object.prototype).join() !== OWN_OF_ALL)
    return 'a prototype changed';
  return read.value;
}

function coverageFault(line: Buffer, { entries, setAside }: Read): string | undefined {
  const covered =
    entries.reduce((sum, { bytes }) => sum + bytes.length, 0) +
    setAside.reduce((sum, { bytes }) => sum + bytes, 0);
  return covered === line.length
    ? undefined
    : `${covered} of ${line.length} bytes are accounted for`;
}

function headFault({ setAside }: Read): string | undefined {
  const isLeaking = setAside.some(({ head }) => /[\w.-]{100}|"stamp":"(?!REDACTED)/.test(head));
  return isLeaking ? 'a head holds what may be a stamp' : undefined;
}

function forgeryFault({ entries }: Read, truth: Truth, tally: Tally): string | undefined {
  for (const { entry } of entries) {
    count(tally, 'entries');
    const fault = entryFault(entry);
    if (fault !== undefined) return fault;
    if (entry.stamp === undefined) continue;
    const forged = stampFault(entry.stamp, entry.uuid, truth, tally);
    if (forged !== undefined) return forged;
  }
  return undefined;
}

function entryFault(entry: Entry): string | undefined {
  const { endedAtUs, durationUs, status, requestBytes, responseBytes } = entry;
  const numbers = [endedAtUs, durationUs, status, requestBytes, responseBytes];
  if (!numbers.every((number) => Number.isSafeInteger(number) && number >= 0))
    return 'a number is none';
  const isThen = endedAtUs - durationUs >= EARLIEST_US && endedAtUs <= NOW_US + MAX_AHEAD_US;
  if (!isThen) return 'a time can’t be';
  const { method, host, uri, protocol, clientAddress, peerAddress } = entry;
  const texts = [method, host, uri, protocol, clientAddress, peerAddress];
  return texts.every((text) => typeof text === 'string') ? undefined : 'a text is none';
}

function attempt<T>(work: () => T): { readonly value: T } | { readonly threw: string } {
  try {
    return { value: work() };
  } catch (error) {
    return { threw: String(error) };
  }
}

function count(tally: Tally, name: string): void {
  tally[name] = (tally[name] ?? 0) + 1;
}
