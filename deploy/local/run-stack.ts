// The life of a stack around what is done with it: start, do, stop, exit; whatever goes wrong on the way
// and whenever somebody asks to stop.
import { explain, Fault } from '../../sidecar/fault.ts';
import type { ConfigFile } from './own-config.ts';
import { readSettings, Refusal } from './settings.ts';
import { createStack, type Running, type StopDeadlines } from './stack.ts';
import { stopAsked } from './until-stopped.ts';

export type Outcome = {
  readonly code: number;
  /** Done when everything has been stopped; its code, if it has one, is the exit code. */
  readonly afterwards?: () => Promise<number | void>;
};

/** How a stack is run. */
export type Manner = { readonly deadlines: StopDeadlines; readonly configFile: ConfigFile };

/**
 * Resolves when it is time to stop: somebody asks to, or a process of the stack has ended by itself; then to which
 * one and how, like `sidecar ended (SIGKILL)`.
 */
export type Over = Promise<string>;

/** What `Over` resolves to where somebody asks to stop. */
export const ASKED = 'asked';

/**
 * Starts the stack, does `act` with it, stops it within the deadlines, and ends the process: with `act`'s
 * code, or with 1 when the stack did not come up.
 */
export async function runStack(
  manner: Manner,
  act: (running: Running, over: Over) => Promise<Outcome>,
): Promise<never> {
  process.exit(await lifeOf(manner, act).catch(tell));
}

async function lifeOf(...[manner, act]: Parameters<typeof runStack>): Promise<number> {
  const asked = stopAsked();
  const { deadlines, configFile } = manner;
  const say = (sentence: string) => console.log(sentence);
  const stack = createStack(readSettings(process.env), configFile, say);
  let outcome: Outcome = { code: 1 };
  try {
    console.log('Starting …');
    const running = await Promise.race([stack.start(), asked]);
    if (running !== undefined) outcome = await act(running, over(running, asked));
  } finally {
    await stack.stop(deadlines);
  }
  return (await outcome.afterwards?.()) ?? outcome.code;
}

function over({ ended }: Running, asked: Promise<void>): Over {
  const isAsked = asked.then(() => ASKED);
  const isBroken = ended.then((how) => {
    console.error(how);
    // What stands behind it is the end of its log.
    return how.split(';')[0] ?? how;
  });
  return Promise.race([isAsked, isBroken]);
}

// A sentence for what a person can mend; everything for what is our fault.
function tell(error: unknown): number {
  const isSaid = error instanceof Refusal || error instanceof Fault;
  console.error(isSaid ? explain(error) : error);
  return 1;
}
