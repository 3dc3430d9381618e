// What is sent and where to, for commands that send, review or count it: they need no provider and no
// client, and run where those settings are not, beside a copy of a store or in a pipeline.
import { Fault } from '../fault.ts';
import type { Config } from './config.ts';
import { readDestinations } from './destinations.ts';
import type { ConfigSources } from './environment.ts';
import { type ConfigError, formatConfigErrors } from './errors.ts';
import { readSources } from './reading.ts';
import { resourceOf } from './resource.ts';
import { readSampling } from './sampling.ts';

/** The settings of what is sent. */
export type Sending = Pick<Config, 'destinations' | 'proxy' | 'resource' | 'sampling'>;

/** Settings that hold, or why there are none: at least one mistake. */
export type CheckedSending =
  { readonly sending: Sending } | { readonly errors: readonly ConfigError[] };

/**
 * Returns the settings of what is sent; no other has to be there, or right.
 * @throws {Fault} ERR_CONFIG with all mistakes in these.
 */
export function loadSending(sources: ConfigSources): Sending {
  const checked = checkSending(sources);
  if ('sending' in checked) return checked.sending;
  throw new Fault('ERR_CONFIG', formatConfigErrors(checked.errors));
}

/** Returns the settings of what is sent, or every mistake in them. */
export function checkSending(sources: ConfigSources): CheckedSending {
  const errors: ConfigError[] = [];
  const report = (error: ConfigError) => void (isAboutSending(error) && errors.push(error));
  const reading = readSources(sources, report);
  const sending = {
    ...readDestinations(reading),
    resource: resourceOf(reading),
    sampling: readSampling(reading),
  };
  return errors.length === 0 ? { sending } : { errors };
}

const ABOUT_SENDING = /^(destinations|sampling|service)(\.|\[|$)/;

// Without a path it is about the whole file, about a destination, or about a variable that nobody knows:
// one of these may be meant.
function isAboutSending({ setting }: ConfigError): boolean {
  return setting === undefined || setting === '' || ABOUT_SENDING.test(setting);
}
