// What holds and where it comes from, for `signet config`: of the same parts that the config is assembled
// of, so that nothing is told that `signet serve` would not run with. Secrets are said to be there, no more.
import { type ConfigError, formatConfigErrors } from './errors.ts';
import type { ConfigSources } from './environment.ts';
import { examineConfig } from './load.ts';
import { mistakesOfStateFolder } from './state-folder.ts';
import { tellDestinations } from './told-destinations.ts';
import { tellResource, tellSampling } from './told-sending.ts';
import { createTell, type ToldSetting } from './told-setting.ts';
import { tellIdentity, tellKeeping } from './told-settings.ts';

/** All that there is to tell of a configuration. */
export type Told = {
  /** Absolute. */
  readonly file: { readonly path: string; readonly isThere: boolean };
  /** In the order of the schema. */
  readonly settings: readonly ToldSetting[];
  readonly warnings: readonly string[];
  readonly mistakes: readonly ConfigError[];
  /** The mistakes as `signet serve` says them; undefined if there is none. */
  readonly problem?: string;
};

/** Returns what holds. `version` is what `service.version` is by default. */
export function tellConfig(sources: ConfigSources, version: string): Told {
  const { reading, parts, errors: inSettings } = examineConfig(sources);
  const errors = [...inSettings, ...mistakesOfStateFolder(reading, parts.stateFolder)];
  const { path, isThere } = reading.settingsFile;
  const telling = { reading, parts, ...createTell(reading, errors) };
  return {
    file: { path, isThere },
    settings: [
      ...tellIdentity(telling),
      ...tellResource(telling, version),
      ...tellKeeping(telling),
      ...tellDestinations(telling),
      ...tellSampling(telling),
    ],
    warnings: parts.warnings,
    mistakes: errors,
    ...(errors.length > 0 && { problem: formatConfigErrors(errors) }),
  };
}
