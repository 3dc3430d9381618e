// Heads that were kept outside of the store: files of lines, as the sidecar appends them, or a log took
// them in.
import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { explain, Fault } from '../fault.ts';
import { parseHeadLine, type Head } from '../audit/head.ts';

export type Published = {
  readonly heads: readonly Head[];
  /** Lines that hold no head, as `file:line`. */
  readonly damaged: readonly string[];
};

/** Returns the heads in the files, in their order. Throws ERR_AUDIT_STORE for a file that can't be read. */
export async function readPublished(files: readonly string[]): Promise<Published> {
  const heads: Head[] = [];
  const damaged: string[] = [];
  for (const file of files) {
    let number = 0;
    for await (const line of linesOf(file)) {
      number += 1;
      if (line.trim() === '') continue;
      const head = parseHeadLine(line);
      if (head === undefined) damaged.push(`${file}:${number}`);
      else heads.push(head);
    }
  }
  return { heads, damaged };
}

async function* linesOf(file: string): AsyncGenerator<string> {
  if (!existsSync(file)) throw new Fault('ERR_AUDIT_STORE', `There is no file ${file}.`);
  const input = createReadStream(file, 'utf8');
  try {
    yield* createInterface({ input, crlfDelay: Infinity });
  } catch (error) {
    throw new Fault('ERR_AUDIT_STORE', `${file} can't be read: ${explain(error)}`, {
      cause: error,
    });
  } finally {
    input.destroy();
  }
}
