// The lines of a headers file, and what may be a header at all. Read at start, and anew as it rotates.

/** Names that a transport sets itself, or can't carry; gRPC and HTTP both would be broken by somebody else's. */
const OWN = new Set([
  ...['host', 'content-type', 'content-length', 'content-encoding', 'transfer-encoding'],
  ...['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'te', 'trailer', 'expect'],
  '__proto__', // is no key of an object like others: gRPC's client loses it
]);

/**
 * Returns the pairs of `name=value` lines, names in lower case; empty lines and those with `#` in front
 * are passed over. Undefined if one is no header.
 */
export function parseHeaderLines(text: string): [string, string][] | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const told = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const pairs = told.map(splitPair).filter(isHeader);
  return pairs.length === told.length ? pairs : undefined;
}

/** Without `=` it has no name, and is no header. */
function splitPair(line: string): [string, string] {
  const name = line.slice(0, Math.max(0, line.indexOf('=')));
  return [name.trim().toLowerCase(), line.slice(name.length + 1).trim()];
}

/**
 * Returns whether both protocols can send it. gRPC keeps `grpc-` to itself, and takes `-bin` for base64
 * (gRPC over HTTP2, Custom-Metadata).
 */
export function isHeader([name, value]: readonly [string, string]): boolean {
  const isName = /^(?!grpc-)[\w.-]+(?<!-bin)$/i.test(name) && !OWN.has(name.toLowerCase());
  return isName && /^[ -~]*$/.test(value);
}
