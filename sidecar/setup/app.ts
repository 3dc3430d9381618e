// The address of the app behind Caddy, as `reverse_proxy` takes it: one word or several of one scheme.
// Placeholders, ranges of ports and paths are refused: they would mean something else than an address.
import { isIP } from 'node:net';
import { type Parsed, refuse } from './parsed.ts';

/** The words behind `reverse_proxy`, at least one. */
export type App = readonly [string, ...string[]];

const ALLOWED =
  'host:port, http://, https:// or h2c:// with a host, or unix//path; several with spaces between';
const MAX_WORDS = 16;
/** As for the sidecar's own socket: `sun_path` less what Go takes. */
const MAX_SOCKET_PATH_BYTES = 106;
const SOCKET = /^unix(?:\+h2c)?\/(\/[\w.@/+-]*[\w.@+-])$/;
const ADDRESS = /^(?:(https?|h2c):\/\/)?(\[[0-9a-f:.]+\]|[\w](?:[\w.-]*\w)?)(?::(\d{1,5}))?$/i;

type Word = { readonly word: string; readonly scheme: string };

/** Returns the words of `localhost:3000`, `unix//run/app.sock`, `https://a.internal https://b.internal:8443`. */
export function parseApp(text: string): Parsed<App> {
  const parsed = text.split(/ +/).filter((word) => word !== '');
  const [first, ...rest] = parsed.map(parseWord);
  if (first === undefined || parsed.length > MAX_WORDS) return refuse(text, ALLOWED);
  const words: string[] = [];
  for (const one of [first, ...rest]) {
    if ('problem' in one) return one;
    // Of `localhost:3000 https://b` Caddy would make TLS for both.
    if ('value' in first && one.value.scheme !== first.value.scheme) {
      return { problem: 'all addresses of the app need one scheme: all https://, say, or none' };
    }
    words.push(one.value.word);
  }
  return { value: words as unknown as App };
}

function parseWord(text: string): Parsed<Word> {
  const socket = SOCKET.exec(text)?.[1];
  if (socket !== undefined) return parseSocket(text, socket);
  const word = text.includes('://') ? text.replace(/\/$/, '') : text;
  const [, scheme = '', host = '', port = ''] = ADDRESS.exec(word) ?? [];
  if (!isHost(host)) return refuse(text, `${ALLOWED}${/^:?\d+$/.test(text) ? MEANT_PORT : ''}`);
  if (port !== '' && !(Number(port) >= 1 && Number(port) <= 65_535)) {
    return refuse(text, 'a port from 1 to 65535');
  }
  const conflict = conflictOf(scheme.toLowerCase(), Number(port));
  if (conflict !== undefined) return { problem: conflict };
  return { value: { word: withScheme(word, scheme), scheme: scheme.toLowerCase() } };
}

const MEANT_PORT = ' (for a port of this machine, write localhost: before it)';

function parseSocket(word: string, path: string): Parsed<Word> {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) {
    return { value: { word, scheme: word.startsWith('unix+h2c') ? 'h2c' : '' } };
  }
  return refuse(word, `a socket's path of at most ${MAX_SOCKET_PATH_BYTES} bytes`);
}

// A name of digits alone is a port with its host forgotten.
function isHost(host: string): boolean {
  if (host.startsWith('[')) return isIP(host.slice(1, -1)) === 6;
  return host !== '' && !host.includes('..') && !/^\d+$/.test(host);
}

// Caddy knows schemes in lower case only.
function withScheme(word: string, scheme: string): string {
  return scheme.toLowerCase() + word.slice(scheme.length);
}

// What Caddy itself refuses (parseUpstreamDialAddress, 2.11.4).
function conflictOf(scheme: string, port: number): string | undefined {
  if (scheme === 'https' && port === 80) return 'https:// and port 80 contradict each other';
  if (scheme !== '' && scheme !== 'https' && port === 443) {
    return `${scheme}:// and port 443 contradict each other`;
  }
  return undefined;
}
