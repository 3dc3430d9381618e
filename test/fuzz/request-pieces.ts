// What requests are put together from: pieces of targets, and header lines by which a client may lie. `<port>`, `<alice>`,
// `<carol>`, `<expired>` and `<agent>` stand for what is known only when the site runs; `<trial>` for the request's own mark.
import { SPELLINGS } from '../fixtures/spellings.ts';

export const PREFIXES = [
  ...['admin', 'vault', 'docs', 'files', 'api', 'old', 'hook', 'public', 'open', 'marked'],
  ...['orders', '.signet', 'renamed', 'safe', 'verify'],
  ...['.signet/signed-out', '.signet/me', '.signet/jwks.json', 'verify?require=public&route=a'],
];

/** What stands between and after the names of a path. */
export const PATH_PIECES = [
  ...['/', '/', '/', '/', '/x', '/x', '//', '///', '/./', '/../', '/..', '..', '.', '/.'],
  ...['%2e', '%2E%2e', '%2e%2e/', '%2f', '%2F', '/%2e%2e%2f', '%5c', '\\', '%5C..%5C', ';', '..;/'],
  ...[';a=1', '%3b', '%00', '%00/', '%25', '%252f', '%252e%252e/', '%c0%af', '%c0%ae%c0%ae/'],
  ...['%e0%80%af', '%ef%bc%8f', '%uff0f', '%2', '%', '%zz', '%0a', '%09', '%0d%0aX-Block:%20x'],
  ...[
    '\xe9',
    '\xc3\xa9',
    '\xff',
    '\x7f',
    '*',
    '{}',
    '~',
    '@',
    ':',
    '%3f',
    '%23',
    '"',
    '<',
    '|',
    '^',
  ],
  ...['%61dmin', 'adm%69n', 'ADMIN', 'Admin', '\xc4\xb0', 'headers', '...', 'a'.repeat(300)],
];

export const QUERIES = [
  ...['?', '??', '?a=1', '?debug=1', '?debug=1&debug=1', '?a;debug=1', '?%64ebug=1', '?debug=%31'],
  ...['?require=public', '?route=public&require=public#', '?/../admin/x', '?x=//admin/x', '?\\'],
  ...['#', '#/../../admin/x', '#?require=public', '?%', '?%zz=1', '?\xff', '?+', '?&&&;;;'],
  ...['?return=//evil.example', '?{http.request.header.Cookie}', `?${'q'.repeat(9000)}`],
];

export const SCHEMES = [
  ...[
    'http',
    'http',
    'https',
    'HTTP',
    'x',
    'ws',
    'file',
    'ftp',
    'javascript',
    'urn',
    'a+b-c.d',
    'unix',
  ],
];

export const AUTHORITIES = [
  ...['localhost:<port>', 'localhost:<port>', 'localhost', 'LOCALHOST:<port>', 'localhost.:<port>'],
  ...['user:password@localhost:<port>', '@localhost:<port>', 'localhost:<port>@evil.example', ''],
  ...[
    'evil.example',
    'evil.example:443',
    '127.0.0.1:<port>',
    '[::1]:<port>',
    '[::1',
    'localhost:x',
  ],
  ...['localhost:<port>:1', 'localhost:0<port>', 'admin', 'x%2fadmin', 'localhost%3a<port>', '..'],
];

export const METHODS = [
  ...[
    'GET',
    'GET',
    'GET',
    'GET',
    'GET',
    'GET',
    'POST',
    'PUT',
    'DELETE',
    'PATCH',
    'HEAD',
    'OPTIONS',
  ],
  ...[
    'get',
    'Post',
    'pOST',
    'FOO',
    'PROPFIND',
    'MKCOL',
    'LOCK',
    'REPORT',
    'SEARCH',
    'PURGE',
    'TRACE',
  ],
  ...['CONNECT', 'PRI', 'QUERY', 'M-SEARCH', "G!#$%&'*+.^_`|~9", 'GET\t', '', 'G\xc9T', '{}', 'G'],
];

export const VERSIONS = [
  ...Array<string>(24).fill('HTTP/1.1'),
  ...[
    'HTTP/1.0',
    'HTTP/1.0',
    'HTTP/1.2',
    'HTTP/2.0',
    'HTTP/0.9',
    'http/1.1',
    'HTTP/1.10',
    'HTTP/3',
  ],
];

/** The Host lines of a request. */
export const HOSTS: readonly (readonly string[])[] = [
  ...Array<string[]>(24).fill(['Host: localhost:<port>']),
  ...[[], ['Host:'], ['Host: localhost'], ['Host: LOCALHOST:<port>'], ['Host: localhost.:<port>']],
  ...[['Host: localhost:<port>', 'Host: localhost:<port>'], ['Host: evil.example']],
  ...[['Host: evil.example', 'Host: localhost:<port>'], ['host:localhost:<port>']],
  ...[['Host: user@localhost:<port>'], ['Host: localhost:<port>/admin/x'], ['Host: localhost:1']],
  ...[['Host: [localhost]'], ['Host: localhost]'], ['Host: [localhost'], ['Host: LocalHost']],
  ...[['Host: localhost:<port>, evil.example'], ['Host: x:http://localhost:<port>']],
  ...[['Host: localhost:<port>', 'X-Forwarded-Host: evil.example']],
];

const IDENTITY = ['User', 'Name', 'Email', 'Groups', 'Team', 'User-Type', 'Anything', ''].map(
  (name) => `Remote-${name}`,
);
const SIGNET = [
  ...['Stamp', 'Assertion', 'Key', 'Preflight', 'Problem', 'Session'].map(
    (name) => `Signet-${name}`,
  ),
];

/** Names as some app might read them: in any case, with any sign that a header's name may have for the dash. */
const spelled = (name: string) => [
  ...[name, name.toLowerCase(), name.toUpperCase(), name.replaceAll('-', '_')],
  ...[name.replaceAll('-', '.'), name.replaceAll('-', ''), `${name} `, `X-${name}`],
  ...[name.replaceAll('-', '~'), name.replaceAll('-', '--'), name.replace('R', '\u017f')],
];

const forged = [...IDENTITY, ...SIGNET]
  .flatMap(spelled)
  .flatMap((name) => [[`${name}: mallory`], [`${name}: mallory`, `${name}: mallory`]]);

const PLACES = [
  ...['X-Forwarded-Uri', 'X-Forwarded-Method', 'X-Forwarded-For', 'X-Forwarded-Host'],
  ...['X-Forwarded-Proto', 'X-Forwarded-Port', 'X-Forwarded-Prefix', 'X-Original-URL'],
  ...[
    'X-Original-URI',
    'X-Rewrite-URL',
    'X-HTTP-Method-Override',
    'X-HTTP-Method',
    'X-Accel-Redirect',
  ],
  ...['X-Real-IP', 'X-Request-Id', 'X.Request.Id', 'X_Request_Id', 'X-Block', 'X_Block', 'Via'],
];
const PLACE_VALUES = ['/admin/x', '/public/x', 'PUT', '192.0.2.7', 'evil.example', 'mallory', ''];

const TRACES = [
  ['traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ['traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff', 'tracestate: a=mallory'],
  ['traceparent: ff-00000000000000000000000000000000-0000000000000000-01'],
  ['baggage: user.id=mallory,team=mallory,user_type=mallory'],
  ['Baggage: USER.ID=mallory', 'baggage: user.id = mallory;a=b, mine=1'],
  ['baggage: user%2eid=mallory, user.id=mallory'],
  ['Bag\u0067age: mine=1', 'BAGGAGE: team=mallory'],
];

const HOPS = [
  ...[
    'Remote-User',
    'close, Remote-User',
    'keep-alive, Traceparent, Baggage, Cookie',
    'X-Request-Id',
  ],
  ...['close, Signet-Stamp, X-Block', 'upgrade, X-Forwarded-Uri', ', ,close', 'close;Remote-User'],
].flatMap((list) => [[`Connection: ${list}`], ['Connection: keep-alive', `connection: ${list}`]]);

const UPGRADES = [
  ['Connection: Upgrade', 'Upgrade: h2c'],
  [
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
  ],
  [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: eA==',
  ],
  ['Connection: Upgrade', 'Upgrade: websocket, h2c'],
  ['Upgrade: TLS/1.0'],
];

const PREFLIGHTS = [
  ['Origin: https://evil.example', 'Access-Control-Request-Method: GET'],
  ['Origin: https://a.example', 'Access-Control-Request-Method: POST', 'Content-Length: 0'],
  [
    'Origin: null',
    'Access-Control-Request-Headers: remote-user',
    'Access-Control-Request-Method: x',
  ],
];

const ODD = [
  ...[['Expect: 100-continue'], ['Expect: 200-ok'], ['Range: bytes=0-1,3-'], ['Range: x']],
  ...[['TE: trailers'], ['Trailer: Remote-User'], ['Sec-Fetch-Mode: navigate'], ['X-Beta: yes']],
  ...[['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: cors'], ['X-Beta: YES'], ['x_beta: yes']],
  ...[['X-Beta: no', 'X-Beta: yes'], ['Accept: text/html'], ['User-Agent: \x1b[31m"}\xff']],
  ...[['X-Folded: a', ' Remote-User: mallory'], ['X-Folded: a', '\tb'], [' Remote-User: mallory']],
  ...[['Remote-User : mallory'], ['Remote-User'], [': mallory'], ['X-Nul: a\0b'], ['X-Cr: a\rb']],
  ...[['X-Lf: a\nRemote-User: mallory'], [`X-Long: ${'l'.repeat(9000)}`], ['Keep-Alive: 1']],
  ...[
    ['Forwarded: for=192.0.2.7;host=evil.example;proto=https'],
    ['Proxy: x'],
    ['Proxy-Connection: close'],
  ],
  ...[
    ['Proxy-Authorization: Bearer <agent>'],
    ['X-Authorization: Bearer <agent>'],
    ['Max-Forwards: 0'],
  ],
];

/** Header lines, in groups of one kind, so that each kind is drawn as often as another. */
export const LIES: readonly (readonly (readonly string[])[])[] = [
  SPELLINGS.map(([, lines]) => lines.map((line) => line.replace(/admin|root|wheel/g, 'mallory'))),
  forged,
  PLACES.flatMap((name) => PLACE_VALUES.map((value) => [`${name}: ${value}`])),
  ...[TRACES, HOPS, UPGRADES, PREFLIGHTS, ODD],
];

const SESSION = 'Cookie: __Host-signet=<alice>';
const AUDITOR = 'Cookie: __Host-signet=<carol>';
const TOKEN = 'Authorization: Bearer <agent>';

/** By which somebody says who he is, or is nobody. */
export const CREDENTIALS: readonly (readonly string[])[] = [
  ...Array<string[]>(6).fill([]),
  ...Array<string[]>(8).fill([SESSION]),
  ...[[AUDITOR], [AUDITOR], [TOKEN], [TOKEN], [SESSION, TOKEN], [TOKEN, AUDITOR]],
  ...[
    [SESSION, SESSION],
    [SESSION, AUDITOR],
    ['Cookie: __Host-signet=<alice>; __Host-signet=<carol>'],
  ],
  ...[
    ['Cookie: __Host-signet=<alice>;__Host-signet=<alice>'],
    ['cookie: a=1;__Host-signet=<alice>; b=2'],
  ],
  ...[
    ['Cookie: __Host-signet=garbage'],
    ['Cookie: __Host-signet=<expired>'],
    ['Cookie: \xff=\0;;=;'],
  ],
  ...[
    ['Cookie: __Host-signet="<carol>"'],
    ['Cookie: __host-signet=<carol>'],
    ['Cookie: __Secure-signet=<carol>'],
  ],
  ...[
    ['Authorization: Bearer garbage'],
    ['Authorization: Basic YTpi'],
    [TOKEN, TOKEN],
    ['Authorization:'],
  ],
  ...[
    ['Cookie: x=1', SESSION],
    ['authorization: bearer <agent>', 'Cookie: __Host-signet=garbage'],
  ],
];
