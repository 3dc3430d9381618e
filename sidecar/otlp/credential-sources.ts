// Where the credentials came from that a destination has refused, in words: whoever has to mend them must
// know which file. Never what they are.
import type { Destination } from './destination.ts';

type Sources = Pick<Destination, 'headers' | 'headersFile' | 'tokenFile' | 'credentialVariables'>;

/** Returns a sentence about the files and variables; where nothing was shown, that. */
export function credentialSources(destination: Sources): string {
  const { headers, headersFile, tokenFile, credentialVariables = [] } = destination;
  const places = [tokenFile?.path, headersFile, ...credentialVariables];
  const named = places.filter((place) => place !== undefined);
  if (named.length > 0) return `the credentials shown are those of ${named.join(' and ')}`;
  if (Object.keys(headers).length > 0) return 'the credentials shown are those of its headers';
  return 'no credentials were shown: name them with headers_file, or token_file';
}
