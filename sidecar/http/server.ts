// The sidecar's HTTP surface: `/verify` for Caddy, `/.signet/*` for people. Nothing decides here.
import { timingSafeEqual, hash } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { Gate, OwnOutcome, Verdict } from '../gate.ts';
import { readOrigin, type RequestHeaders } from '../request.ts';
import type { Secret } from '../secret.ts';
import { answer } from './answer.ts';
import type { Pages } from './pages.ts';
import { sendProblem } from './problem.ts';

/** Above Caddy's own bound (32 KiB in our Caddyfile) and what the snippet adds. */
export const MAX_HEADER_BYTES = 64 * 1024;
/** Marks an answer without a stamp as the sidecar's own: the snippet lets nothing else through to a client. */
const PROBLEM_MARK = 'Signet-Problem';
/** Above the two minutes for which Caddy keeps a connection: it must be Caddy who lets go. */
export const KEEP_ALIVE_MS = 150_000;

export type ServerParts = {
  readonly gate: Gate;
  /** What people see; default: the built-in ones. */
  readonly pages?: Pages;
  /** The routes under `/.signet/`. */
  readonly signIn: RequestHandler;
  /** The key that Caddy must show over TCP; undefined on a unix socket, whose folder is the guard. */
  readonly sharedKey: Secret | undefined;
  readonly onError: (error: unknown) => void;
};

/**
 * Returns the surface, without a socket. `/verify` does not go through express: an answer costs 52 µs so,
 * and 62 with it.
 */
export function createSurface(parts: ServerParts): RequestListener {
  const isCaddy = parts.sharedKey === undefined ? () => true : shows(parts.sharedKey);
  const own = createOwn(parts);
  return (req, res) => {
    if (!isCaddy(req)) notForYou(res);
    else if (isVerify(req)) verify(parts, req, res);
    else if (!isPath(req)) notCaddy(res);
    else own(req, res);
  };
}

function verify(
  { gate, pages, onError }: ServerParts,
  req: IncomingMessage,
  res: ServerResponse,
): void {
  const reply = (verdict: Verdict | undefined) =>
    verdict === undefined ? notCaddy(res) : answer(res, verdict, pages);
  const fail = (error: unknown) => failClosed(res, error, onError);
  try {
    const verdict = gate.verify(req.url ?? '', req.headers as RequestHeaders);
    if (verdict !== undefined && 'then' in verdict) verdict.then(reply).catch(fail);
    else reply(verdict);
  } catch (error) {
    fail(error);
  }
}

function createOwn({ gate, signIn, onError }: ServerParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.use(signIn);
  app.use((req, res) => {
    stampOwn(gate, req, res, { decision: 'none', reason: 'signet' });
    const requestId = readOrigin(req.headers as RequestHeaders)?.requestId;
    sendProblem(res, {
      status: 404,
      title: 'Not found',
      detail: 'There is nothing here.',
      ...(requestId !== undefined && { requestId }),
    });
  });
  const onFailure: ErrorRequestHandler = (error, _req, res, _next) =>
    failClosed(res, error, onError);
  app.use(onFailure);
  return app;
}

/** Returns a server whose limits fit behind Caddy. */
export function createSidecarServer(surface: RequestListener): Server {
  // Joined, so that a second Authorization makes the token malformed: Caddy passes both to the app.
  const options = { maxHeaderSize: MAX_HEADER_BYTES, joinDuplicateHeaders: true };
  const server = createServer(options, surface);
  // Their bytes are bounded; Node's own bound of some 1,000 would be a 431 without a stamp.
  server.maxHeadersCount = 0;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = KEEP_ALIVE_MS + 5000;
  return server;
}

/** Puts on an answer of Signet's own, before it is sent, its stamp and its place in the trace. */
export function stampOwn(gate: Gate, req: Request, res: Response, outcome: OwnOutcome): void {
  const marks = gate.stampOwn(req.headers as RequestHeaders, outcome);
  if (marks === undefined) return;
  res.setHeader('Signet-Stamp', marks.stamp);
  res.setHeader('Server-Timing', marks.serverTiming);
}

// A client may send a target without a path (`x:http://x/.signet/me`), and what Caddy rewrites of it is not what is asked
// then (2.11): our page's answer would stand for a decision.
function isPath({ url = '' }: IncomingMessage): boolean {
  return url.startsWith('/');
}

function isVerify({ method, url = '' }: IncomingMessage): boolean {
  return method === 'GET' && (url === '/verify' || url.startsWith('/verify?'));
}

function shows(key: Secret): (req: IncomingMessage) => boolean {
  const wanted = hash('sha256', key.reveal(), 'buffer');
  return ({ headers }) => {
    const shown = headers['signet-key'];
    return typeof shown === 'string' && timingSafeEqual(hash('sha256', shown, 'buffer'), wanted);
  };
}

function notForYou(res: ServerResponse): void {
  res.setHeader(PROBLEM_MARK, 'not-for-you');
  sendProblem(res, {
    status: 403,
    title: 'Not for you',
    detail: 'Over TCP the sidecar answers only to the shared key: set SIGNET_GATE_KEY for Caddy.',
  });
}

function notCaddy(res: ServerResponse): void {
  res.setHeader(PROBLEM_MARK, 'not-caddy');
  sendProblem(res, {
    status: 400,
    title: 'Not asked by Caddy',
    detail:
      'A header that Caddy sets is missing (X-Request-Id, X-Forwarded-Method, -Proto, -Host, -Uri, ' +
      '-For), or the target is not /verify?require=…&route=…, as where a # stands in the requirement. Use the snippets of signet.caddy.',
  });
}

// Whatever went wrong, it is never a 2xx.
function failClosed(res: ServerResponse, error: unknown, onError: ServerParts['onError']): void {
  onError(error);
  // Of an answer that was begun, if only by a 204 that then could not be written, Node sends no body any
  // more, and Caddy would wait for it.
  if (res.headersSent || res.statusCode === 204) {
    res.destroy();
    return;
  }
  res.setHeader(PROBLEM_MARK, 'fault');
  sendProblem(res, {
    status: 503,
    title: 'Who you are cannot be checked right now',
    detail: 'Try again shortly.',
  });
}
