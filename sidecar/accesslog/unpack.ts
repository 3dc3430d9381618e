// A compressed log file → an open file with what was in it, for reading by place as any other. A
// worker does it piece by piece while this thread waits, so that memory stays small whatever the size.
import { randomUUID } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { constants as zlib, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { MAX_HASHED_BYTES } from './checkpoint.ts';
import type { Packing } from './log-files.ts';
import type { UnpackJob, UnpackResult } from './unpack-worker.ts';

/** Largest file that is unpacked, in bytes: four times what the snippets let Caddy roll at. */
export const MAX_UNPACKED_BYTES = 1024 ** 3;

/** How long a worker may make no progress at all; then it is taken for dead. */
const SILENCE_MS = 30_000;

/** Read of a compressed file to see how it begins, in turn until it is enough; zstd's blocks are large. */
const HEAD_STEPS = [4096, 64 * 1024, 512 * 1024];
/** Most that such a piece may unpack to: what goes beyond is no log. */
const MAX_HEAD_UNPACKED_BYTES = 64 * 1024 ** 2;
const NEWLINE = 0x0a;

/** An open, unpacked file that has no name any more; or why it will never be one, or is not now. */
export type Unpacked =
  | { readonly fd: number }
  | { readonly damaged: string; readonly isTooLarge?: true }
  | { readonly failed: string };

/** Returns what is in the compressed file `from`; never throws for what is in it. */
export function unpack(
  from: number,
  packing: Packing,
  { spool, maxBytes }: { readonly spool: string | undefined; readonly maxBytes: number },
): Unpacked {
  const to = openSpoolFile(spool);
  const { result, release } = runWorker({ from, to, packing, maxBytes });
  if ('bytes' in result) return { fd: to };
  release(() => closeSync(to));
  if (result.code === 'TOO_LARGE') {
    return { damaged: `it holds more than ${maxBytes} bytes`, isTooLarge: true };
  }
  const isDamaged = /^(Z_(?!MEM_)|ZSTD_error_(?!memory))/.test(result.code);
  return isDamaged ? { damaged: result.message } : { failed: result.message };
}

/**
 * Returns what a compressed file begins with: its first line or at least 4,096 bytes, if there is so
 * much; empty when that can't be told.
 */
export function unpackedHead(from: number, packing: Packing): Buffer {
  for (const step of HEAD_STEPS) {
    const packed = Buffer.alloc(step);
    const length = readSync(from, packed, 0, step, 0);
    const head = unpackPart(packed.subarray(0, length), packing);
    if (head.includes(NEWLINE) || head.length >= MAX_HASHED_BYTES || length < step) return head;
  }
  return Buffer.alloc(0);
}

function unpackPart(packed: Buffer, packing: Packing): Buffer {
  const maxOutputLength = MAX_HEAD_UNPACKED_BYTES;
  try {
    return packing === 'gzip'
      ? gunzipSync(packed, { finishFlush: zlib.Z_SYNC_FLUSH, maxOutputLength })
      : zstdDecompressSync(packed, { finishFlush: zlib.ZSTD_e_flush, maxOutputLength });
  } catch {
    return Buffer.alloc(0);
  }
}

// Without a name from the first moment on: nobody else reads it, and nothing is left behind by a kill.
function openSpoolFile(spool: string | undefined): number {
  if (spool !== undefined) mkdirSync(spool, { recursive: true, mode: 0o700 });
  const path = join(spool ?? tmpdir(), `signet-log-${randomUUID()}`);
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  unlinkSync(path);
  return fd;
}

// `release` calls back when the worker uses the files no more: their numbers may be given out again.
function runWorker(files: Omit<UnpackJob, 'state' | 'port'>): {
  result: UnpackResult;
  release: (done: () => void) => void;
} {
  const state = new Int32Array(new SharedArrayBuffer(8));
  const { port1, port2 } = new MessageChannel();
  const job: UnpackJob = { ...files, state, port: port2 };
  const file = new URL(`./unpack-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(file, { workerData: job, transferList: [port2], env: {} });
  worker.on('error', () => undefined); // then it makes no progress
  worker.unref();
  for (let seen = -1; Atomics.load(state, 0) === 0 && seen !== Atomics.load(state, 1);) {
    seen = Atomics.load(state, 1);
    Atomics.wait(state, 0, 0, SILENCE_MS);
  }
  const said = receiveMessageOnPort(port1)?.message as UnpackResult | undefined;
  port1.close();
  const isDone = said !== undefined;
  if (!isDone) void worker.terminate();
  return {
    result: said ?? { code: 'SILENT', message: 'unpacking it makes no progress' },
    release: (done) => (isDone ? done() : void worker.once('exit', done)),
  };
}
