// Draws whole requests: every form of a request line, headers that lie, bodies that hold a second request, and streams of
// HTTP/2. A trial is a text, with placeholders for what is known later: so it can be printed, made smaller, and sent again.
import type { Random } from '../fixtures/random.ts';
import {
  AUTHORITIES,
  CREDENTIALS,
  HOSTS,
  LIES,
  METHODS,
  PATH_PIECES,
  PREFIXES,
  QUERIES,
  SCHEMES,
  VERSIONS,
} from './request-pieces.ts';
import { oneOf } from './world.ts';

export type Trial = {
  /** `h2`: lines `name: value`, the pseudo ones first, and behind an empty line the body. `h1`: the bytes, in Latin-1. */
  readonly by: 'h1' | 'h2';
  readonly text: string;
  /** As how many requests the text may be read at most, by its framing (RFC 9112, section 6.3); else as many as are answered. */
  readonly most?: number;
};

/** A second request, by nobody, to where nobody may go, that claims to have been let in. */
const SMUGGLED = [
  ...[
    'GET /admin/x HTTP/1.1',
    'Host: localhost:<port>',
    'X-Trial: <trial>.smuggled',
    'X-Block: admin',
  ],
  ...[
    'X-Request-Id: 00000000-0000-4000-8000-000000000000',
    'Remote-User: mallory',
    'Connection: close',
  ],
  ...['', ''],
].join('\r\n');

const some = (random: Random, most: number, make: () => string) =>
  Array.from({ length: random.below(most + 1) }, make).join('');

function drawPath(random: Random): string {
  const part = () => (random.below(3) === 0 ? oneOf(random, PREFIXES) : oneOf(random, PATH_PIECES));
  const begin = random.below(4) === 0 ? '' : `${oneOf(random, PREFIXES)}/`;
  const end = oneOf(random, [`/${oneOf(random, PREFIXES)}/x`, 'x', 'x', '']);
  return `/${begin}${some(random, 5, part)}${end}`;
}

const drawQuery = (random: Random) => (random.below(3) === 0 ? oneOf(random, QUERIES) : '');

/** Forms of a request target (RFC 9112, section 3.2), and what is none of them. */
const TARGETS: readonly ((random: Random) => string)[] = [
  ...Array<typeof drawPath>(5).fill(drawPath),
  (random) => `/${oneOf(random, PREFIXES)}${oneOf(random, ['/x', ''])}`,
  (random) => `/${drawPath(random)}`,
  (random) => `${oneOf(random, SCHEMES)}://${oneOf(random, AUTHORITIES)}${drawPath(random)}`,
  (random) =>
    `${oneOf(random, SCHEMES)}:${oneOf(random, ['', 'http:/', '//', 'x'])}${drawPath(random)}`,
  (random) =>
    `${oneOf(random, SCHEMES)}:${oneOf(random, ['', '/', '//x/'])}${oneOf(random, PREFIXES)}`,
  (random) => `${oneOf(random, SCHEMES)}:${oneOf(random, SCHEMES)}://x/${oneOf(random, PREFIXES)}`,
  (random) => `${oneOf(random, SCHEMES)}:${oneOf(random, PREFIXES)}${drawPath(random)}`,
  (random) => oneOf(random, AUTHORITIES),
  (random) => drawPath(random).slice(1),
  (random) => oneOf(random, ['*', '', '**', '*/admin/x', '/', '?', '.', '/* /admin/x', '/\t/x']),
];

const drawTarget = (random: Random) => `${oneOf(random, TARGETS)(random)}${drawQuery(random)}`;

type Body = { readonly lines: readonly string[]; readonly body: string; readonly most?: number };

/** A request's mark: always as long, so that the length of a body is known before it. */
export const markOf = (number: number): string => `t${String(number).padStart(9, '0')}`;
const WIRE_LENGTH = SMUGGLED.replace('<trial>', markOf(0)).replace('<port>', '12345').length;
const WHOLE_CHUNK = `${WIRE_LENGTH.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
const LENGTH = `Content-Length: ${WIRE_LENGTH}`;
const CHUNKED = 'Transfer-Encoding: chunked';

/** Bodies that hold the second request. Where the framing is plain, it is one request and no more. */
const BODIES: readonly Body[] = [
  { lines: [LENGTH], body: SMUGGLED, most: 1 },
  { lines: [LENGTH, LENGTH], body: SMUGGLED, most: 1 },
  { lines: [CHUNKED], body: WHOLE_CHUNK, most: 1 },
  { lines: ['transfer-encoding: Chunked'], body: WHOLE_CHUNK, most: 1 },
  { lines: [CHUNKED, LENGTH], body: `0\r\n\r\n${SMUGGLED}` },
  { lines: [LENGTH, CHUNKED], body: `0\r\n\r\n${SMUGGLED}` },
  { lines: [], body: SMUGGLED },
  { lines: ['Content-Length: 0'], body: SMUGGLED },
  { lines: ['Content-Length: 5'], body: `x=1&y${SMUGGLED}` },
  { lines: ['Content-Length: 99999'], body: 'x' },
  ...['+5', '0x5', '-1', '5,5', '5 5', '', '5\x0b', '99999999999999999999'].map((length) => ({
    ...{ lines: [`Content-Length: ${length}`], body: `x=1&y${SMUGGLED}` },
  })),
  { lines: ['Content-Length: 5', LENGTH], body: `x=1&y${SMUGGLED}` },
  ...[
    ' chunked',
    '\x0bchunked',
    'xchunked',
    'chunked, identity',
    'identity',
    '"chunked"',
    'gzip, chunked',
  ].flatMap((coding) => [
    { lines: [`Transfer-Encoding:${coding}`, LENGTH], body: `0\r\n\r\n${SMUGGLED}` },
    { lines: [`Transfer-Encoding: ${coding}`], body: `0\r\n\r\n${SMUGGLED}` },
  ]),
  { lines: ['Transfer-Encoding : chunked', LENGTH], body: `0\r\n\r\n${SMUGGLED}` },
  { lines: [CHUNKED, 'Transfer-Encoding: identity'], body: `0\r\n\r\n${SMUGGLED}` },
  { lines: ['Transfer-Encoding:', ' chunked'], body: `0\r\n\r\n${SMUGGLED}` },
  { lines: ['Transfer_Encoding: chunked', LENGTH], body: `0\r\n\r\n${SMUGGLED}` },
  ...[
    '0;a\n\r\n',
    '0\n\n',
    '0x0\r\n\r\n',
    '1\r\nx\n0\r\n\r\n',
    '2\r\nxx0\r\n\r\n',
    '-1\r\n\r\n',
    ' 0\r\n\r\n',
  ].map((end) => ({ lines: [CHUNKED], body: `${end}${SMUGGLED}` })),
  {
    lines: [CHUNKED, 'Trailer: Remote-User'],
    body: `1\r\nx\r\n0\r\nX-Trailer: mallory\r\nContent-Length: 5\r\n\r\n${SMUGGLED}`,
  },
];

function drawBody(random: Random): Body {
  if (random.below(4) > 0) return { lines: [], body: '', most: 1 };
  return oneOf(random, BODIES);
}

const drawLies = (random: Random) =>
  Array.from({ length: random.below(4) }, () => oneOf(random, oneOf(random, LIES))).flat();

function drawHttp1(random: Random): Trial {
  const { lines, body, most } = drawBody(random);
  const method = body !== '' && random.below(2) === 0 ? 'POST' : oneOf(random, METHODS);
  const head = [
    ...random.shuffled([oneOf(random, HOSTS), drawLies(random), oneOf(random, CREDENTIALS), lines]),
    ...[['X-Trial: <trial>'], body === '' ? ['Connection: close'] : []],
  ].flat();
  const line = [method, drawTarget(random), oneOf(random, VERSIONS)].join(' ');
  const text = `${[line, ...head].join('\r\n')}\r\n\r\n${body}`;
  const trial = { by: 'h1', text, ...(most !== undefined && { most }) } as const;
  return random.below(10) === 0 ? mutated(random, trial) : trial;
}

const NOISE = [
  '\r',
  '\n',
  '\0',
  ' ',
  '\t',
  ':',
  '/',
  '.',
  '%',
  '\xff',
  ',',
  '\r\n',
  '\r\n\r\n',
  ';',
];

/** One place of its head is left out, doubled, or has something else in it; nothing is known of the framing then. */
function mutated(random: Random, { by, text }: Trial): Trial {
  const at = random.below(Math.max(1, text.indexOf('\r\n\r\n')));
  const kept = [text.slice(at + 1), text.slice(at), text.slice(Math.max(0, at - 3))];
  const noise = random.below(3) === 0 ? '' : oneOf(random, NOISE);
  return { by, text: `${text.slice(0, at)}${noise}${oneOf(random, kept)}` };
}

const HOP_BY_HOP =
  /^(connection|keep-alive|proxy-connection|upgrade|http2-settings|host|transfer-encoding|te)$/i;

function drawHttp2(random: Random): Trial {
  const authorities = random.below(4) === 0 ? AUTHORITIES : ['localhost:<port>'];
  const method = oneOf(random, METHODS);
  // CONNECT has neither path nor scheme (RFC 9113, section 8.5), and Node sends none that has.
  const place = [
    `:path: ${drawTarget(random)}`,
    `:scheme: ${random.below(4) === 0 ? oneOf(random, SCHEMES) : 'http'}`,
  ];
  const pseudo = [
    ...[`:method: ${method}`, `:authority: ${oneOf(random, authorities)}`],
    ...(method === 'CONNECT' ? [] : place),
  ];
  const lines = [...drawLies(random), ...oneOf(random, CREDENTIALS), 'x-trial: <trial>'];
  const plain = lines.flatMap((line) => {
    const [, name = '', value = ''] = /^([^:\s]+):([^\r\n\0]*)$/.exec(line) ?? [];
    return name === '' || HOP_BY_HOP.test(name) ? [] : [`${name.toLowerCase()}: ${value.trim()}`];
  });
  const body = random.below(3) === 0 ? `\n\n${SMUGGLED}` : '';
  return { by: 'h2', text: `${[...pseudo, ...plain].join('\n')}${body}`, most: 1 };
}

/** Returns one drawn request. */
export function drawTrial(random: Random): Trial {
  return random.below(5) === 0 ? drawHttp2(random) : drawHttp1(random);
}

const LAST = ['X-Trial: <trial>', 'Connection: close', '', ''];

const plainTrial = (line: string, lines: readonly string[] = []): Trial => ({
  ...{ by: 'h1', most: 1, text: [line, 'Host: localhost:<port>', ...lines, ...LAST].join('\r\n') },
});

/** Tried each time, whatever is drawn: each block by each caller, each lie, each body, each form of a target. */
export function fixedTrials(): Trial[] {
  const session = 'Cookie: __Host-signet=<alice>';
  const callers = [
    [],
    [session],
    ['Cookie: __Host-signet=<carol>'],
    ['Authorization: Bearer <agent>'],
  ];
  const places = [...PREFIXES.map((name) => `/${name}/x`), '/x?debug=1'];
  const targets = SCHEMES.slice(1, 6).map((scheme) => `${scheme}:http://x/.signet/signed-out`);
  return [
    ...places.flatMap((place) =>
      callers.map((lines) => plainTrial(`GET ${place} HTTP/1.1`, lines)),
    ),
    ...callers.map((lines) => plainTrial('PUT /docs/x HTTP/1.1', lines)),
    ...callers.map((lines) => plainTrial('GET /x HTTP/1.1', [...lines, 'X-Beta: yes'])),
    ...[...new Set(HOSTS)].flatMap((host) =>
      ['docs', 'marked'].map((place) => hostTrial(place, host)),
    ),
    ...DOTS.flatMap((path) => callers.map((lines) => plainTrial(`GET ${path} HTTP/1.1`, lines))),
    ...SPELLED.map((lines) => plainTrial('GET /public/x HTTP/1.1', lines)),
    ...targets.map((target) => plainTrial(`GET ${target} HTTP/1.1`)),
    ...BODIES.map(({ lines, body, most }) => bodyTrial([session, ...lines], body, most)),
    ...callers.map((lines) => tunnelTrial(lines)),
  ];
}

const SPELLED = LIES[0] ?? [];

/** Of these an app, and Caddy, which resolves dots and merges slashes, may read two different paths. */
const DOTS = [
  ...[
    '//public/admin/x',
    '/admin/../public/x',
    '/admin/..%2fpublic/x',
    '/admin//../x',
    '/vault/x/%2f%2e%2e/..',
  ],
  ...[
    '/public/../admin/x',
    '/public/%2e%2e/admin/x',
    '/public/..%2fadmin/x',
    '/public/x/..//admin/x',
  ],
];

function hostTrial(place: string, host: readonly string[]): Trial {
  const head = [`GET /${place}/x HTTP/1.1`, ...host, 'Cookie: __Host-signet=<alice>'];
  return { by: 'h1', most: 1, text: [...head, ...LAST].join('\r\n') };
}

/** By HTTP/2: what stands in the body of a CONNECT may come to an app without a frame. */
function tunnelTrial(lines: readonly string[]): Trial {
  const head = [':method: CONNECT', ':authority: localhost:<port>', 'x-trial: <trial>'];
  const plain = lines.map((line) => line.replace(/^\w+/, (name) => name.toLowerCase()));
  return { by: 'h2', most: 1, text: `${[...head, ...plain].join('\n')}\n\n${SMUGGLED}` };
}

function bodyTrial(lines: readonly string[], body: string, most?: number): Trial {
  const head = ['POST /public/x HTTP/1.1', 'Host: localhost:<port>', 'X-Trial: <trial>', ...lines];
  const text = `${head.join('\r\n')}\r\n\r\n${body}`;
  return { by: 'h1', text, ...(most !== undefined && { most }) };
}
