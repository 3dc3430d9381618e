// What a port speaks on which ours isn't understood: gRPC and HTTP on each other's ports, TLS and plain
// text. Told in words that name the setting which mends it. What a failure doesn't show, a handshake does.
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { Protocol } from './destination.ts';

export type Asked = {
  /** Where it was tried. */
  readonly url: string;
  readonly protocol: Protocol;
  /** It is reached straight: not through a proxy, which might not let a handshake pass. */
  readonly isStraight: boolean;
};

/** How long a handshake may take. */
const HANDSHAKE_MS = 2000;

const NO_GRPC =
  'it speaks no gRPC: is this its HTTP port? protocol: http/protobuf, or the gRPC port, by default 4317';
const NO_HTTP =
  'it speaks no HTTP/1.1: is this its gRPC port? protocol: grpc, or the HTTP port, by default 4318';
const NO_TLS =
  'it speaks no TLS: is this its port for plain text? http:// in the endpoint, or its port for TLS';
/** Also what a destination says that answers plain text in plain text. */
export const ONLY_TLS = 'it speaks TLS only: https:// in the endpoint, or its port for plain text';

/** What ALPN calls them (RFC 7301). */
const ALPN: Readonly<Record<Protocol, string>> = { grpc: 'h2', 'http/protobuf': 'http/1.1' };

/** Resolves to what speaks there instead, where that can be told of a failed connection. */
export async function explainWrongPort(error: unknown, asked: Asked): Promise<string | undefined> {
  const symptom = symptomOf(error);
  const spoken = asked.protocol === 'grpc' ? NO_GRPC : NO_HTTP;
  switch (symptom) {
    case undefined:
      return undefined;
    case 'no-tls':
      return NO_TLS;
    case 'other-protocol':
      return spoken;
    case 'no-sense':
      return (await isOnlyTls(asked)) ? ONLY_TLS : spoken;
    case 'hung-up':
      if (await isOnlyTls(asked)) return ONLY_TLS;
      return (await isOnlyOther(asked)) ? spoken : undefined;
  }
}

type Symptom = 'no-tls' | 'other-protocol' | 'no-sense' | 'hung-up';

function symptomOf(error: unknown): Symptom | undefined {
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  switch (code) {
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'no-tls';
    // Node's name for many failures of OpenSSL; its words tell them apart.
    case 'EPROTO':
      return /wrong version number|packet length too long/.test(String(message))
        ? 'no-tls'
        : undefined;
    case 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL':
      return 'other-protocol';
    case 'HPE_INVALID_CONSTANT':
    case 'ERR_HTTP2_ERROR':
      return 'no-sense';
    case 'ECONNRESET':
      return 'hung-up';
    default:
      return undefined;
  }
}

async function isOnlyTls({ url, isStraight }: Asked): Promise<boolean> {
  return (
    isStraight && url.startsWith('http:') && (await alpnOf(url, Object.values(ALPN))) !== undefined
  );
}

async function isOnlyOther({ url, protocol, isStraight }: Asked): Promise<boolean> {
  if (!isStraight || !url.startsWith('https:')) return false;
  const other = ALPN[protocol === 'grpc' ? 'http/protobuf' : 'grpc'];
  if ((await alpnOf(url, [ALPN[protocol]])) === ALPN[protocol]) return false;
  return (await alpnOf(url, [other])) === other;
}

/** Resolves to the protocol that TLS was agreed on for, '' for none; undefined where there is no TLS. */
function alpnOf(url: string, offered: string[]): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect({
    host,
    port: Number(port || (url.startsWith('https:') ? 443 : 80)),
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: offered,
    // Nothing is sent, and nothing believed.
    rejectUnauthorized: false,
    timeout: HANDSHAKE_MS,
  });
  socket.once('secureConnect', () => resolve(socket.alpnProtocol || ''));
  socket.once('error', () => resolve(undefined));
  socket.once('close', () => resolve(undefined));
  const late = setTimeout(() => resolve(undefined), HANDSHAKE_MS);
  return promise.finally(() => {
    clearTimeout(late);
    socket.on('error', () => {});
    socket.destroy();
  });
}
