// One process of the stack, as the supervisor sees it: started in a group of its own (Ctrl-C in the
// terminal must not reach it), with a channel whose end tells it that we are gone, and stopped for sure.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Refusal } from './settings.ts';

export type Program = {
  readonly name: string;
  /** A module of this folder (`receiver.ts`), which reports its port, or any other command, which is guarded. */
  readonly run:
    { readonly module: string; readonly preload?: string } | readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Where its output goes; absent: to ours. */
  readonly logFile?: string;
};

export type Child = {
  readonly name: string;
  /** Its port, once it has reported it; rejects when it ends before. */
  readonly listening: Promise<number>;
  /** Resolves when it has ended, to a sentence that says how. */
  readonly ended: Promise<string>;
  readonly isRunning: () => boolean;
  /** SIGTERM, and SIGKILL to its whole group after `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
};

/** Starts a program. */
export function startChild(program: Program): Child {
  const process_ = launch(program);
  let running = true;
  const ended = new Promise<string>((resolve) => {
    process_.once('error', (error) => resolve(`${program.name} did not start: ${error.message}`));
    process_.once('exit', (code, signal) => resolve(epitaph(program, signal ?? `exit ${code}`)));
  }).finally(() => (running = false));
  return {
    name: program.name,
    listening: port(process_, ended),
    ended,
    isRunning: () => running,
    async stop(deadlineMs) {
      if (!running) return;
      process_.kill('SIGTERM');
      const timer = setTimeout(() => killGroup(process_), deadlineMs);
      await ended;
      clearTimeout(timer);
      // What a guard that died first left behind.
      killGroup(process_);
    },
  };
}

function launch({ run, env, logFile }: Program): ChildProcess {
  const output = logFile === undefined ? 'inherit' : openSync(logFile, 'a');
  const stdio: StdioOptions = ['ignore', output, output, 'ipc'];
  const child = spawn(process.execPath, nodeArguments(run), { env, stdio, detached: true });
  if (typeof output === 'number') closeSync(output);
  return child;
}

function nodeArguments(run: Program['run']): string[] {
  if (!('module' in run)) return [here('./guard.ts'), ...run];
  const preload = run.preload === undefined ? [] : ['--import', here(run.preload)];
  return ['--disable-warning=ExperimentalWarning', ...preload, here(run.module)];
}

function here(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

function port(child: ChildProcess, ended: Promise<string>): Promise<number> {
  const reported = new Promise<number>((resolve) => {
    child.once('message', (message: { port: number }) => resolve(message.port));
  });
  const failed = ended.then((how): never => {
    throw new Refusal(how);
  });
  const listening = Promise.race([reported, failed]);
  // Whoever does not ask for the port does not hear that there is none.
  listening.catch(() => {});
  return listening;
}

function epitaph({ name, logFile }: Program, how: string): string {
  const lines = logFile === undefined ? [] : readFileSync(logFile, 'utf8').trim().split('\n');
  const last = lines.slice(-8).join('\n  ');
  return `${name} ended (${how})${last === '' ? '' : `; the end of ${logFile}:\n  ${last}`}`;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is empty.
  }
}
