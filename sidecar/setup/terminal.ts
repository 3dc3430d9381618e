// A person at a terminal: questions and answers, line by line. What is typed unseen is never written out.
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Asker } from './answers.ts';

export type Terminal = Asker & {
  /** Throws `Left` if the person has left between two questions. */
  stay(): void;
  close(): void;
};

/** The person has left, by Ctrl-C or Ctrl-D: nothing more will be answered. */
export class Left extends Error {}

const LEFT = 'ended by you; nothing was written';

/** Returns whether a person reads and writes here. */
export function isTerminal(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

/** Returns the person at this process's terminal. Close it, or the process stays. */
export function openTerminal(): Terminal {
  let isHidden = false;
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!isHidden) process.stdout.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  const left = new AbortController();
  // Ctrl-C and Ctrl-D end a question; between two of them, or when the terminal goes, nothing else tells.
  lines.once('close', () => left.abort());

  async function ask(question: string): Promise<string> {
    try {
      return (await lines.question(question, { signal: left.signal })).trim();
    } catch (cause) {
      process.stdout.write('\n');
      throw new Left(LEFT, { cause });
    }
  }

  async function askUnseen(question: string): Promise<string> {
    process.stdout.write(question);
    isHidden = true;
    try {
      return await ask('');
    } finally {
      isHidden = false;
      process.stdout.write('\n');
    }
  }

  return {
    ask,
    askUnseen,
    stay: () => {
      if (left.signal.aborted) throw new Left(LEFT);
    },
    say: (text) => void process.stdout.write(text),
    close: () => lines.close(),
  };
}
