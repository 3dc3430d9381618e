// What other processes use, from Linux's /proc: CPU by thread as the scheduler counts it, in
// nanoseconds (the ticks of `stat` are 10 ms), and resident memory. Also on which cores they run.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Returns microseconds of CPU of each thread that lives, by its id. */
export function threadsUs(pid: number): ReadonlyMap<number, number> {
  const used = new Map<number, number>();
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const file = `/proc/${pid}/task/${tid}/schedstat`;
    used.set(Number(tid), Number(readFileSync(file, 'utf8').split(' ')[0]) / 1000);
  }
  return used;
}

/** Returns microseconds of CPU of all threads together. */
export function cpuUs(pid: number): number {
  return [...threadsUs(pid).values()].reduce((sum, us) => sum + us, 0);
}

/** Returns what the main thread used, what the thread of this name did, and all others together. */
export function cpuByThreadUs(pid: number, name: string): Readonly<Record<string, number>> {
  const used = { main: 0, [name]: 0, other: 0 };
  for (const [tid, us] of threadsUs(pid)) {
    const comm = readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trim();
    const thread = tid === pid ? 'main' : comm === name ? name : 'other';
    used[thread] = (used[thread] ?? 0) + us;
  }
  return used;
}

/** Returns the resident memory in MiB. */
export function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** Puts every thread of a process on these cores, in the words of `taskset -c`. */
export function pin(pid: number, cores: string): void {
  execFileSync('taskset', ['--all-tasks', '--pid', '--cpu-list', cores, String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

/** Returns the cores that this process may use. */
export function allowedCores(): readonly number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1] ?? '0';
  return list.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  });
}
