// The thread that unpacks one compressed log file into another file, and says how that went. It owns
// neither of the two: it is given them open.
import { readSync, writeSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { workerData, type MessagePort } from 'node:worker_threads';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Packing } from './log-files.ts';

export type UnpackJob = {
  readonly from: number;
  readonly to: number;
  readonly packing: Packing;
  /** Bytes that may come out of it. */
  readonly maxBytes: number;
  /** At 0 whether it is done (1), at 1 a count of pieces: who waits sees that there is progress. */
  readonly state: Int32Array<SharedArrayBuffer>;
  readonly port: MessagePort;
};

export type UnpackResult =
  { readonly bytes: number } | { readonly code: string; readonly message: string };

const PIECE_BYTES = 64 * 1024;

const job = workerData as UnpackJob;
job.port.postMessage(await unpackAll(job).catch(failure));
Atomics.store(job.state, 0, 1);
Atomics.notify(job.state, 0);
job.port.close();

async function unpackAll({ from, to, packing, maxBytes, state }: UnpackJob): Promise<UnpackResult> {
  let bytes = 0;
  await pipeline(
    piecesOf(from),
    packing === 'gzip' ? createGunzip() : createZstdDecompress(),
    async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) {
        bytes += piece.length;
        if (bytes > maxBytes) throw Object.assign(new Error('too large'), { code: 'TOO_LARGE' });
        writeAll(to, piece);
        Atomics.add(state, 1, 1);
      }
    },
  );
  return { bytes };
}

// Not a ReadStream, which would close the file.
function* piecesOf(fd: number): Generator<Buffer> {
  for (let at = 0; ;) {
    const piece = Buffer.alloc(PIECE_BYTES);
    const length = readSync(fd, piece, 0, PIECE_BYTES, at);
    if (length === 0) return;
    at += length;
    yield piece.subarray(0, length);
  }
}

function writeAll(to: number, piece: Buffer): void {
  for (let written = 0; written < piece.length;) written += writeSync(to, piece, written);
}

function failure(error: Error & { code?: string }): UnpackResult {
  return { code: error.code ?? 'UNKNOWN', message: error.message };
}
