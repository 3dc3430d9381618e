// Signs the end of the chain now and then, and appends what it signed to a file that can be kept
// elsewhere: whoever has its lines can prove later that the record before them is whole.
import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { headLine, parseHeadLine, type Head } from './audit/head.ts';
import type { SigningKey } from './audit/signing-key.ts';
import type { AuditStore } from './audit/store.ts';
import { explain } from './fault.ts';

/** How often the end of the chain is signed while rows come: what is older can't be changed unseen. */
export const HEAD_EVERY_MS = 60_000;

/** Some two hundred heads. */
const TAIL_BYTES = 65_536;

export type Heads = {
  /** Signs when it is time. */
  step(): Promise<void>;
  /** Signs what is not yet signed. */
  sign(): Promise<void>;
  state(): { readonly head?: Head };
  /** Returns the chain of which a head was published last, if it is another than the store's. */
  replaced(): string | undefined;
  problem(): string | undefined;
};

export type HeadsParts = {
  readonly store: Pick<AuditStore, 'sign' | 'chain'>;
  readonly key: SigningKey;
  readonly file: string;
  /** Microseconds since the epoch. */
  readonly clock: () => number;
};

/** Returns what signs the chain of a store. Rejects with store faults; the file's are its `problem`. */
export function createHeads({ store, key, file, clock }: HeadsParts): Heads {
  const before = lastPublished(file)?.chain;
  const replaced = before === store.chain ? undefined : before;
  let head: Head | undefined;
  let problem: string | undefined;
  let nextMs = performance.now() + HEAD_EVERY_MS;
  let unpublished: Head[] = [];

  async function sign(): Promise<void> {
    nextMs = performance.now() + HEAD_EVERY_MS;
    const signed = await store.sign(key, clock());
    if (signed !== undefined) {
      head = signed;
      unpublished.push(signed);
    }
    publish();
  }

  function publish(): void {
    try {
      for (const each of unpublished) {
        const line = `${isTorn(file) ? '\n' : ''}${headLine(each)}\n`;
        appendFileSync(file, line, { mode: 0o640, flush: true });
      }
      unpublished = [];
      problem = undefined;
    } catch (error) {
      // Each of them stands for all before it: the newest one will do.
      unpublished = unpublished.slice(-1);
      problem = `signed heads can't be appended to ${file}: ${explain(error)}`;
    }
  }

  function replacement(): string | undefined {
    if (replaced === undefined) return undefined;
    return `the store's chain is ${store.chain}, and the last head in ${file} is of ${replaced}: was the store replaced?`;
  }

  return {
    step: async () => {
      if (performance.now() >= nextMs) await sign();
    },
    sign,
    state: () => (head === undefined ? {} : { head }),
    replaced: () => replaced,
    problem: () => problem ?? replacement(),
  };
}

// A power cut, or a full disk, may have left a half line: the next one must not become a part of it.
function isTorn(file: string): boolean {
  const fd = openSync(file, 'a+', 0o640);
  try {
    const { size } = fstatSync(fd);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last.toString() !== '\n';
  } finally {
    closeSync(fd);
  }
}

// One a minute, for years: only the end of the file is looked at.
function lastPublished(file: string): Head | undefined {
  try {
    const lines = tailOf(file, TAIL_BYTES).split('\n');
    const last = lines.findLast((line) => parseHeadLine(line) !== undefined);
    return last === undefined ? undefined : parseHeadLine(last);
  } catch {
    return undefined; // nothing was published yet; what can't be read can't be appended to either
  }
}

function tailOf(file: string, bytes: number): string {
  const fd = openSync(file, 'r');
  try {
    const from = Math.max(0, fstatSync(fd).size - bytes);
    const tail = Buffer.alloc(bytes);
    return tail.toString('utf8', 0, readSync(fd, tail, 0, bytes, from));
  } finally {
    closeSync(fd);
  }
}
