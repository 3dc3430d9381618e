// What `/verify` is asked, by kind of evidence: the subrequest as Caddy's forward_auth makes it of a
// browser's or a service's request. Each has an id of its own, and the next person.
import { PEOPLE, USER_AGENT } from './parts-inputs.ts';

/** How often each person asks before the next one. */
const IN_A_ROW = 10;

/** What the people show: made by the gate's process, which has their sessions and the issuer's key. */
export type Credentials = {
  readonly cookies: readonly string[];
  readonly tokens: readonly string[];
};

/** Who is asked: the gate, one that remembers no token, or (to know what HTTP itself takes) no gate. */
export type Door = 'gate' | 'forgetful' | 'none';

export type Kind = {
  readonly name: string;
  readonly target: string;
  /** What the gate must answer. */
  readonly status: number;
  readonly credential: (given: Credentials, person: number) => Readonly<Record<string, string>>;
  readonly door: Door;
};

const ORDERS = '/verify?require=any&route=orders';
const bearer = ({ tokens }: Credentials, person: number) => ({
  authorization: `Bearer ${tokens[person]}`,
});

export const KINDS: readonly Kind[] = [
  {
    name: 'no gate, an empty 204 of node:http',
    target: ORDERS,
    status: 204,
    credential: ({ cookies }, person) => ({ cookie: `theme=dark; ${cookies[person]}` }),
    door: 'none',
  },
  {
    name: 'nobody, public',
    target: '/verify?require=public&route=site',
    status: 204,
    credential: () => ({}),
    door: 'gate',
  },
  {
    name: 'session cookie',
    target: ORDERS,
    status: 204,
    credential: ({ cookies }, person) => ({ cookie: `theme=dark; ${cookies[person]}` }),
    door: 'gate',
  },
  {
    name: 'bearer, verified before',
    target: ORDERS,
    status: 204,
    credential: bearer,
    door: 'gate',
  },
  { name: 'bearer, each new', target: ORDERS, status: 204, credential: bearer, door: 'forgetful' },
  { name: 'nobody, refused', target: ORDERS, status: 401, credential: () => ({}), door: 'gate' },
];

type Headers = Record<string, string> & { 'x-request-id': string };

/** Returns the headers of the how-manieth subrequest, in the order in which Caddy writes them. */
export function headersOf(kind: Kind, given: Credentials, number: number): Headers {
  return {
    host: 'app.example.com',
    'user-agent': USER_AGENT,
    accept: 'application/json',
    'accept-encoding': 'gzip, deflate, br, zstd',
    'accept-language': 'en-GB,en;q=0.9',
    ...kind.credential(given, personAt(kind, number)),
    'sec-fetch-dest': 'empty',
    'sec-fetch-mode': 'cors',
    'sec-fetch-site': 'same-origin',
    'x-forwarded-for': `192.0.2.${number % 250}`,
    'x-forwarded-host': 'app.example.com',
    'x-forwarded-method': 'GET',
    'x-forwarded-proto': 'https',
    'x-forwarded-uri': `/orders/${number}/items?page=${number % 9}`,
    'x-request-id': idOf(number),
  };
}

// A page asks several times in a row. So a session is read from the disk for one request in ten, and not
// the more often the slower the machine is: it is believed for a second.
function personAt({ door }: Kind, number: number): number {
  return (door === 'forgetful' ? number : Math.floor(number / IN_A_ROW)) % PEOPLE;
}

let drawn = 0;

// Caddy's ids are random; these only have to differ, and to look like them.
function idOf(number: number): string {
  drawn += 1;
  const head = (Math.imul(drawn, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
  const middle = (number & 0xfff).toString(16).padStart(3, '0');
  return `${head}-7bbc-4${middle}-964f-${drawn.toString(16).padStart(12, '0')}`;
}

/** Returns the bytes of a subrequest. */
export function requestBytes(kind: Kind, given: Credentials, number: number): Buffer {
  const lines = Object.entries(headersOf(kind, given, number)).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return Buffer.from(`GET ${kind.target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
}
