// The options of a command of the benchmark: its help, and what is said to a wrong one. Exits by itself.
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { explain } from '../../sidecar/fault.ts';

const EXIT_USAGE = 2;

type Options = NonNullable<ParseArgsConfig['options']>;

/** Returns the values of the options; prints the help and exits where it was asked for, or one is wrong. */
export function optionsOrExit<T extends Options>(options: T, help: string) {
  try {
    const all = { ...options, help: { type: 'boolean', short: 'h' } } as const;
    const { values } = parseArgs({ options: all });
    if ((values as { help?: boolean }).help !== true) return values;
    console.log(help);
    process.exit(0);
  } catch (error) {
    return exitUsage(explain(error), help);
  }
}

/** Says what is wrong, and how it is right. */
export function exitUsage(problem: string, help: string): never {
  console.error(`${problem}\n\n${help}`);
  process.exit(EXIT_USAGE);
}
