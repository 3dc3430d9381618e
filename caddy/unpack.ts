// Takes one program out of a .tar.gz, in memory: nothing is written, so no entry's name (`../`, absolute) and
// no link leads anywhere. Reads ustar as far as that takes (POSIX.1, pax, "ustar Interchange Format").
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const BLOCK = 512;
const REGULAR_FILE = ['0', '\0'];

type Entry = { readonly name: string; readonly type: string; readonly body: Buffer };

/**
 * Returns the first regular file that is called exactly `name`. Throws an Error when the archive is broken,
 * unpacks to more than `maxBytes`, or holds no such file.
 */
export async function unpackProgram(
  archive: Buffer,
  name: string,
  maxBytes: number,
): Promise<Buffer> {
  for (const entry of entriesOf(await unzip(archive, maxBytes))) {
    if (entry.name === name && REGULAR_FILE.includes(entry.type)) return entry.body;
  }
  throw new Error(`the archive holds no file \`${name}\``);
}

async function unzip(archive: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await promisify(gunzip)(archive, { maxOutputLength: maxBytes });
  } catch (cause) {
    const isTooLarge = (Object(cause) as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
    if (isTooLarge) throw new Error(`the archive unpacks to more than ${maxBytes} bytes`);
    throw new Error('the archive is broken', { cause });
  }
}

/** The headers' own checksums are not looked at: the whole archive's was, before. */
function* entriesOf(tar: Buffer): Generator<Entry> {
  let at = 0;
  while (at + BLOCK <= tar.length && tar[at] !== 0) {
    const header = tar.subarray(at, at + BLOCK);
    const [from, size] = [at + BLOCK, sizeIn(header)];
    if (from + size > tar.length) throw new Error('the archive is broken: it ends in mid-file');
    const type = header.toString('latin1', 156, 157);
    yield { name: nameIn(header), type, body: tar.subarray(from, from + size) };
    at = from + Math.ceil(size / BLOCK) * BLOCK;
  }
}

function sizeIn(header: Buffer): number {
  const octal = textIn(header, 124, 136).trim();
  // Beyond 8 GiB it is not octal any more; nothing of that size is wanted here.
  if (!/^[0-7]+$/.test(octal)) throw new Error('the archive is broken: a size is no number');
  return Number.parseInt(octal, 8);
}

function nameIn(header: Buffer): string {
  const [name, prefix] = [textIn(header, 0, 100), textIn(header, 345, 500)];
  return prefix === '' ? name : `${prefix}/${name}`;
}

function textIn(header: Buffer, from: number, to: number): string {
  return header.toString('latin1', from, to).split('\0')[0] ?? '';
}
