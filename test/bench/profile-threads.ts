// The CPU of each thread of a process, as Linux counts it, by the names that Node gives them:
// `MainThread`, `recorder` (ours), `V8Worker` (GC and compiler of both), `libuv-worker` (gzip, files).
import { readdirSync, readFileSync } from 'node:fs';

/** Microseconds by name; threads of one name are added up. */
export type ThreadCpu = ReadonlyMap<string, number>;

/** Returns what each thread has used until now. */
export function threadCpu(pid: number): ThreadCpu {
  const used = new Map<string, number>();
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${tid}`;
    const name = readFileSync(`${folder}/comm`, 'utf8').trim();
    // Nanoseconds on a core; `stat` has hundredths of a second only.
    const us = Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0]) / 1000;
    used.set(name, (used.get(name) ?? 0) + us);
  }
  return used;
}

/** Returns what was used between two moments. */
export function usedBetween(before: ThreadCpu, after: ThreadCpu): ThreadCpu {
  return new Map([...after].map(([name, us]) => [name, us - (before.get(name) ?? 0)]));
}
