// Signs the end of the chain now and then, and appends what it signed to a file that can be kept
// elsewhere: whoever has its lines can prove later that the record before them is whole.
import { appendFileSync } from 'node:fs';
import { headLine, type Head } from './audit/head.ts';
import type { SigningKey } from './audit/signing-key.ts';
import type { AuditStore } from './audit/store.ts';
import { explain } from './fault.ts';

/** How often the end of the chain is signed while rows come: what is older can't be changed unseen. */
export const HEAD_EVERY_MS = 60_000;

export type Heads = {
  /** Signs when it is time. */
  step(): Promise<void>;
  /** Signs what is not yet signed. */
  sign(): Promise<void>;
  state(): { readonly head?: Head };
  problem(): string | undefined;
};

export type HeadsParts = {
  readonly store: Pick<AuditStore, 'sign'>;
  readonly key: SigningKey;
  readonly file: string;
  /** Microseconds since the epoch. */
  readonly clock: () => number;
};

/** Returns what signs the chain of a store. Rejects with store faults; the file's are its `problem`. */
export function createHeads({ store, key, file, clock }: HeadsParts): Heads {
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
        appendFileSync(file, `${headLine(each)}\n`, { mode: 0o640, flush: true });
      }
      unpublished = [];
      problem = undefined;
    } catch (error) {
      // Each of them stands for all before it: the newest one will do.
      unpublished = unpublished.slice(-1);
      problem = `signed heads can't be appended to ${file}: ${explain(error)}`;
    }
  }

  return {
    step: async () => {
      if (performance.now() >= nextMs) await sign();
    },
    sign,
    state: () => (head === undefined ? {} : { head }),
    problem: () => problem,
  };
}
