// How gRPC's client gets a connection. grpc-js (1.14) keeps a socket for good on which a handshake is
// never answered, also when its channel is closed; and it tells of a failure as text only. So it is handed
// what it calls a secure connector: one through the proxy, with its own TLS, its sockets and errors known.
import { isIP, type Socket } from 'node:net';
import {
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import type { Destination } from './destination.ts';
import { readCertificates } from './tls.ts';
import { tunnelTo } from './tunnel.ts';

export type Connecting = {
  readonly destination: Destination;
  /** What the socket is connected to, when that isn't the destination. */
  readonly proxy?: URL;
  /** Gets those that are open, for whoever closes the channel. */
  readonly sockets: Set<Socket>;
  /** Whether the channel was closed meanwhile: grpc-js goes on with a connection that it had begun. */
  readonly isClosed: () => boolean;
  /** Is told why a connection failed, or broke; undefined when there is one. */
  readonly onConnection: (failure: unknown) => void;
};

type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/** Returns credentials of a channel that connect so. Throws ERR_DELIVERY for certificates of no use. */
export function connectingCredentials(connecting: Connecting): ChannelCredentials {
  const context = contextOf(connecting.destination);
  const own = context
    ? ChannelCredentials.createFromSecureContext(context)
    : ChannelCredentials.createInsecure();
  const createConnector: ChannelCredentials['_createSecureConnector'] = (...given) => {
    const connector = own._createSecureConnector(...given);
    const connect: Connector['connect'] = (socket) =>
      connectBy(connector, socket, connecting, context);
    return { ...bound(connector), connect };
  };
  // By its prototype, for which grpc-js looks.
  return Object.create(own, { _createSecureConnector: { value: createConnector } });
}

function contextOf(destination: Destination): SecureContext | undefined {
  if (destination.endpoint.startsWith('http://')) return undefined;
  return createSecureContext(readCertificates(destination));
}

function bound(connector: Connector): Omit<Connector, 'connect'> {
  return {
    waitForReady: () => connector.waitForReady(),
    getCallCredentials: () => connector.getCallCredentials(),
    destroy: () => connector.destroy(),
  };
}

async function connectBy(
  connector: Connector,
  socket: Socket,
  connecting: Connecting,
  context: SecureContext | undefined,
) {
  const { destination, proxy, sockets, isClosed, onConnection } = connecting;
  sockets.add(socket);
  // Its owner changes on the way: an error that nobody hears meanwhile would end the thread.
  socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  try {
    if (isClosed()) {
      socket.destroy();
      throw hungUp();
    }
    const way = proxy ? await tunnelTo(hostPortOf(destination), proxy, socket) : socket;
    const result = context
      ? { socket: await securely(way, destination, context), secure: true }
      : await connector.connect(way);
    result.socket.on('error', onConnection);
    onConnection(undefined);
    return result;
  } catch (error) {
    onConnection(error);
    throw error;
  }
}

// grpc-js's own names the server by its address where that is all there is: RFC 6066 has no such name, and
// Node warns of it on stderr. The certificate is held against the host all the same.
function securely(
  socket: Socket,
  destination: Destination,
  secureContext: SecureContext,
): Promise<TLSSocket> {
  const host = hostOf(destination);
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const secured = connectTls({
    socket,
    secureContext,
    host,
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: ['h2'],
  });
  secured.once('secureConnect', () => resolve(secured));
  secured.on('error', reject);
  secured.once('close', () => reject(hungUp()));
  return promise;
}

/** Returns the error of a connection that was closed before anything was said on it. */
export function hungUp(): Error {
  return Object.assign(new Error('it closed the connection at once'), { code: 'ECONNRESET' });
}

function hostOf(destination: Destination): string {
  return new URL(destination.endpoint).hostname.replace(/^\[|\]$/g, '');
}

/** Returns `host:port` of a destination by gRPC. */
export function hostPortOf({ endpoint }: Pick<Destination, 'endpoint'>): string {
  return endpoint.replace(/^https?:\/\//, '');
}
