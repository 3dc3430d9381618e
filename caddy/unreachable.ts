// Why another machine could not be reached, in words: what Node and the system say, translated.

const WORDS: Record<string, string> = {
  ENOTFOUND: 'its name is not known here',
  EAI_AGAIN: 'no name server answers',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection broke off',
  ENETUNREACH: 'there is no network',
  EHOSTUNREACH: 'no way leads there',
  ETIMEDOUT: 'it does not answer',
  ERR_PROXY_TUNNEL: 'the proxy does not let through',
};

/** Returns one clause: our words, then the system's own in brackets. */
export function describeUnreachable(error: Error): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  // Where a name has several addresses, all of which fail, there is a code but no message.
  const said = error.message.trim() === '' ? code : error.message.trim().replace(/\s+/g, ' ');
  const words = WORDS[code];
  return words === undefined ? said : `${words} (${said})`;
}
