// The site of the snippet tests: a real Caddy with Signet's snippets, an echo app, and a small stand-in
// for the gate. The tests pin what the snippets guarantee whatever the gate is; the gate has its own tests.
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePort,
  globalOptions,
  rawRequest,
  SNIPPETS,
  startCaddy,
  startEchoApp,
} from '../fixtures/caddy.ts';
import type { EchoApp } from '../fixtures/caddy.ts';

/** A subrequest as it reached the stand-in. */
export type Question = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
};

/** One line of the access log: what Signet reads of it. */
export type LogLine = {
  readonly uuid?: string;
  readonly route?: string;
  readonly stamp?: string | null;
  /** Milliseconds since the epoch, as a string: so Caddy writes `time.now.unix_ms`. */
  readonly proxied_ms?: string;
  readonly upstream?: string;
  readonly upstream_duration_ms?: number;
  readonly retries?: number;
  readonly user_id: string;
  readonly status: number;
  readonly request: { readonly uri: string; readonly headers?: unknown };
};

export type Answer = {
  readonly status: number;
  /** As received, the status line included. */
  readonly head: string;
  readonly body: string;
  /** Every value under this name, whatever its case. */
  values(name: string): string[];
};

export type Site = {
  readonly port: number;
  readonly app: EchoApp;
  readonly questions: Question[];
  /** How many connections the gate has accepted so far. */
  gateConnections(): number;
  /** Sends a GET with these header lines; closes the connection unless they say otherwise. */
  ask(path: string, ...headerLines: string[]): Promise<Answer>;
  /** The same with another method, and a body, whose length the header lines tell. */
  send(method: string, path: string, headerLines: string[], body?: string): Promise<Answer>;
  log(): Promise<LogLine[]>;
  /** The log as text. */
  logText(): Promise<string>;
  stopGate(): Promise<void>;
  stop(): Promise<void>;
};

/** The stand-in knows two persons. Sent along, they are signed in. */
export const ALICE = 'Authorization: Bearer alice';
export const CAROL = 'Authorization: Bearer carol';
/** The same two, where the gate signs for the app who is calling. */
export const ALICE_SIGNED = 'Authorization: Bearer alice signed';
export const CAROL_SIGNED = 'Authorization: Bearer carol signed';

/** As long as a real one. */
export const ASSERTION = `${'h'.repeat(110)}.${'p'.repeat(280)}.${'s'.repeat(86)}`;

/** What the stand-in vouches for: alice has no team. */
export const ALICE_HEADERS = {
  'Remote-User': 'alice',
  'Remote-Groups': 'staff',
  Traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
  Baggage: 'user.id=alice',
} as const;

/** Of carol all is known: the snippet has a way of its own for that. */
export const CAROL_HEADERS = {
  'Remote-User': 'carol',
  'Remote-Name': 'Carol C.',
  'Remote-Email': 'carol@example.com',
  'Remote-Groups': 'staff,team-payments',
  'Remote-Team': 'payments',
  'Remote-User-Type': 'human',
  Traceparent: '00-33333333333333333333333333333333-4444444444444444-01',
  Baggage: 'user.id=carol',
} as const;

/** What the stand-in says to who must sign in. */
export const CHALLENGE = {
  'WWW-Authenticate': 'Bearer realm="orders"',
  Link: '</.signet/login?return=/.signet/signed-in>; rel="sign-in"',
} as const;

/** What every answer of the stand-in says to the browser. */
const SERVER_TIMING = 'trace;desc="of-the-stand-in"';

export type SiteOptions = {
  /** With it the stand-in listens on TCP and demands the key; otherwise on a unix socket. */
  readonly gateKey?: string;
  /** The name that the stand-in gives to alice. */
  readonly user?: string;
  /** What Caddy is told instead of where the stand-in is. */
  readonly socket?: string;
  /** An app in place of the one that remembers. */
  readonly appAddress?: string;
  /** Answers in place of the stand-in. */
  readonly gate?: RequestListener;
  /** For Caddy, besides what the snippets need. */
  readonly env?: Readonly<Record<string, string>>;
};

/** Starts all three. */
export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'signet-snippet-'));
  const logFile = join(folder, 'access.log');
  const questions: Question[] = [];
  const gate = createServer(options.gate ?? createStandIn(questions, options));
  let gateConnections = 0;
  gate.on('connection', () => gateConnections++);
  gate.listen(options.gateKey === undefined ? join(folder, 's.sock') : 0);
  await once(gate, 'listening');
  const app = await startEchoApp();
  const port = await freePort();
  const address = gate.address() as AddressInfo | string;
  const socket = typeof address === 'string' ? `unix/${address}` : `127.0.0.1:${address.port}`;
  const env = {
    SIGNET_SOCKET: options.socket ?? socket,
    SIGNET_ACCESS_LOG: logFile,
    SIGNET_GATE_KEY: options.gateKey ?? '',
    APP_SECRET: 'never to be seen',
    ...options.env,
  };
  const caddy = await startCaddy({
    caddyfile: siteText(port, options.appAddress ?? app.address),
    env,
  });
  const logText = () => readFile(logFile, 'utf8').catch(() => '');
  const stopGate = async () => {
    if (!gate.listening) return;
    gate.close();
    gate.closeAllConnections();
    await once(gate, 'close');
  };
  const send: Site['send'] = async (method, path, lines, body = '') =>
    parseAnswer(await rawRequest({ port, bytes: spell(method, path, lines) + body }));
  return {
    port,
    app,
    questions,
    gateConnections: () => gateConnections,
    ask: (path, ...lines) => send('GET', path, lines),
    send,
    log: async () => parseLog(await logText()),
    logText,
    stopGate,
    stop: async () => {
      await caddy.stop();
      await Promise.all([app.stop(), stopGate()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** `h2c`, so that a test can speak HTTP/2 without certificates. Port 1 is never listened on. */
function siteText(port: number, app: string): string {
  const block = (match: string, inner: string) => `${match} {\n${inner}\n}\n`;
  const proxy = `reverse_proxy ${app}`;
  const protect = (args: string, inner: string) => block(`import protect ${args}`, inner);
  return [
    block('', `${globalOptions}\nservers {\nprotocols h1 h2 h2c\nmax_header_size 32KiB\n}`),
    `import ${SNIPPETS}\n`,
    block(
      `http://localhost:${port}`,
      [
        'import signet',
        block('handle /admin*', protect('admin role:admin', proxy)),
        block('handle /public*', protect('public public', proxy)),
        block('handle /dead*', protect('dead any', 'reverse_proxy 127.0.0.1:1')),
        block('handle /open-dead*', 'reverse_proxy 127.0.0.1:1'),
        block('handle /open*', proxy),
        block('handle /alone', 'respond alone'),
        block('handle /api*', protect('api any+preflight', proxy)),
        block('handle_path /prefix/*', protect('prefix any', proxy)),
        block('handle', protect('orders team:payments,search+type:human', proxy)),
      ].join('\n'),
    ),
  ].join('\n');
}

function createStandIn(questions: Question[], options: SiteOptions): RequestListener {
  return ({ method = '', url = '', headers }, response) => {
    questions.push({ method, url, headers });
    const requirement = /[?]require=(.*)&route=[^&]*$/.exec(url)?.[1];
    const vouched = vouchedFor(headers.authorization, options);
    response.setHeader('Signet-Stamp', `stamp-${String(headers['x-request-id'])}`);
    response.setHeader('Server-Timing', SERVER_TIMING);
    if (options.gateKey !== undefined && headers['signet-key'] !== options.gateKey) {
      return response.writeHead(403).end();
    }
    if (url.startsWith('/.signet/')) return response.writeHead(200).end('a page of Signet\n');
    if (isPreflight(headers) && requirement === 'any+preflight') {
      return response.writeHead(204, { 'Signet-Preflight': 'yes' }).end();
    }
    if (vouched === undefined && requirement !== 'public')
      return response.writeHead(401, CHALLENGE).end('sign in\n');
    if (requirement === 'role:admin') return response.writeHead(403).end('not you\n');
    return response.writeHead(204, vouched ?? {}).end();
  };
}

function vouchedFor(
  authorization: string | undefined,
  { user = 'alice' }: SiteOptions,
): Record<string, string> | undefined {
  const [, name, signed] = (authorization ?? '').split(' ');
  const known = { alice: { ...ALICE_HEADERS, 'Remote-User': user }, carol: CAROL_HEADERS };
  if (name !== 'alice' && name !== 'carol') return undefined;
  return { ...known[name], ...(signed !== undefined && { 'Signet-Assertion': ASSERTION }) };
}

function isPreflight(headers: IncomingMessage['headers']): boolean {
  const isOptions = headers['x-forwarded-method'] === 'OPTIONS';
  const asks = headers['access-control-request-method'] !== undefined;
  return isOptions && asks && headers.origin !== undefined;
}

function spell(method: string, path: string, lines: readonly string[]): string {
  const hasConnection = lines.some((line) => /^connection:/i.test(line));
  const closing = hasConnection ? [] : ['Connection: close'];
  return [`${method} ${path} HTTP/1.1`, 'Host: localhost', ...lines, ...closing, '', ''].join(
    '\r\n',
  );
}

function parseAnswer(bytes: Buffer): Answer {
  const [head = '', ...rest] = bytes.toString('latin1').split('\r\n\r\n');
  const values = (name: string) =>
    head
      .split('\r\n')
      .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
      .map((line) => line.slice(name.length + 1).trim());
  return { status: Number(head.split(' ')[1]), head, body: rest.join('\r\n\r\n'), values };
}

function parseLog(text: string): LogLine[] {
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as LogLine);
}
