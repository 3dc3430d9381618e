// Whether the state folder can be one, for whoever starts nothing: `signet serve` itself makes it, and says what
// is in the way. Not asked while a configuration is loaded: what is read there is watched for changes.
import type { ConfigError } from './errors.ts';
import type { Reading } from './reading.ts';
import { codeOf } from './secret-file.ts';
import { shown } from './shown.ts';

/** Returns the mistake of a state folder whose name, or one on the way to it, is a file's. */
export function mistakesOfStateFolder(
  { sources, refused, place }: Reading,
  stateFolder: string,
): ConfigError[] {
  if (refused.has('state')) return [];
  try {
    // By the dot nothing of it is read, and no pipe is waited for.
    sources.readFile(`${stateFolder}/.`);
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') return [inTheWay(place('state'), stateFolder)];
  }
  return [];
}

function inTheWay(where: string, stateFolder: string): ConfigError {
  const read = `${shown(stateFolder)}, where a file is in the way`;
  const allowed = 'the path of a folder that Signet may write';
  return { where, setting: 'state', read, allowed };
}
