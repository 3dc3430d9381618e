// The headers that a call carries: those that stay, and those of files that rotate. Knows what was refused.
import { secret, type Secret } from '../secret.ts';
import type { Destination, TokenFile } from './destination.ts';
import { parseHeaderLines } from './header-lines.ts';
import { createWatchedFile } from './watched-file.ts';

/** Lower-case names. The values are credentials, revealed. */
export type CallHeaders = Readonly<Record<string, string>>;

export type Credentials = {
  /** Returns them as they are now: a look at each file. Undefined if a file has never been sound. */
  read(): CallHeaders | undefined;
  problem(): string | undefined;
  /** These were refused; undefined if there were none to be shown. */
  wereRefused(headers: CallHeaders | undefined): void;
  /** Returns whether they are others than those that were refused last. */
  haveChanged(): boolean;
};

type Sources = Pick<Destination, 'headers' | 'headersFile' | 'tokenFile'>;

/** Returns the credentials of one destination. A token wins over a header of its name. */
export function createCredentials({ headers, headersFile, tokenFile }: Sources): Credentials {
  const lasting = revealed(headers);
  const files = [
    headersFile === undefined ? undefined : watchHeaders(headersFile),
    tokenFile === undefined ? undefined : watchToken(tokenFile),
  ].filter((file) => file !== undefined);
  let refused: Secret | undefined;

  function read(): CallHeaders | undefined {
    const parts = files.map((file) => file.read());
    return parts.includes(undefined) ? undefined : Object.assign({}, lasting, ...parts);
  }

  return {
    read,
    problem: () => files.map((file) => file.problem()).find((problem) => problem !== undefined),
    wereRefused: (shown) => (refused = fingerprint(shown)),
    haveChanged: () => refused !== undefined && refused.reveal() !== fingerprint(read()).reveal(),
  };
}

function revealed(headers: Destination['headers']): CallHeaders {
  const pairs = Object.entries(headers).map(([name, value]) => [name, value.reveal()] as const);
  return Object.fromEntries(pairs);
}

function watchHeaders(path: string) {
  const parse = (text: string): CallHeaders | undefined => {
    const pairs = parseHeaderLines(text);
    return pairs === undefined || pairs.length === 0 ? undefined : Object.fromEntries(pairs);
  };
  return createWatchedFile(path, parse, 'name=value on each line, in printable ASCII');
}

function watchToken({ path, header, prefix, encoding }: TokenFile) {
  const parse = (text: string): CallHeaders | undefined => {
    const token = text.trim();
    if (!/^[!-~]+$/.test(token)) return undefined;
    const sent = encoding === undefined ? token : Buffer.from(token).toString(encoding);
    return { [header]: `${prefix}${sent}` };
  };
  return createWatchedFile(path, parse, 'a token, one word of printable ASCII');
}

function fingerprint(headers: CallHeaders | undefined): Secret {
  return secret(headers === undefined ? '' : JSON.stringify(headers));
}
