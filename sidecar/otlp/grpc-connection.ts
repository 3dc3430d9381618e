// How gRPC's client gets a connection. grpc-js (1.14) keeps a socket for good on which a handshake is
// never answered, also when its channel is closed; and it tells of a failure as text only. So it is handed
// what it calls a secure connector: its own, through the proxy, with its sockets and errors known.
import type { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
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
  /** Is told why a connection failed, or broke; undefined when there is one. */
  readonly onConnection: (failure: unknown) => void;
};

type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/** Returns credentials of a channel that connect so. Throws ERR_DELIVERY for certificates of no use. */
export function connectingCredentials(connecting: Connecting): ChannelCredentials {
  const own = ownCredentials(connecting.destination);
  const createConnector: ChannelCredentials['_createSecureConnector'] = (...given) => {
    const connector = own._createSecureConnector(...given);
    const connect: Connector['connect'] = (socket) => connectBy(connector, socket, connecting);
    return { ...bound(connector), connect };
  };
  // By its prototype, for which grpc-js looks.
  return Object.create(own, { _createSecureConnector: { value: createConnector } });
}

function ownCredentials(destination: Destination): ChannelCredentials {
  if (destination.endpoint.startsWith('http://')) return ChannelCredentials.createInsecure();
  const context = createSecureContext(readCertificates(destination));
  return ChannelCredentials.createFromSecureContext(context);
}

function bound(connector: Connector): Omit<Connector, 'connect'> {
  return {
    waitForReady: () => connector.waitForReady(),
    getCallCredentials: () => connector.getCallCredentials(),
    destroy: () => connector.destroy(),
  };
}

async function connectBy(connector: Connector, socket: Socket, connecting: Connecting) {
  const { destination, proxy, sockets, onConnection } = connecting;
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  try {
    const way = proxy ? await tunnelTo(hostPortOf(destination), proxy, socket) : socket;
    const result = await connector.connect(way);
    result.socket.on('error', onConnection);
    onConnection(undefined);
    return result;
  } catch (error) {
    onConnection(error);
    throw error;
  }
}

/** Returns `host:port` of a destination by gRPC. */
export function hostPortOf({ endpoint }: Pick<Destination, 'endpoint'>): string {
  return endpoint.replace(/^https?:\/\//, '');
}
