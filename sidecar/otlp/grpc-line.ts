// A channel of gRPC's own client, as we want it: nothing tried twice, nothing read from the environment,
// nothing shared between destinations.
import type { Socket } from 'node:net';
import {
  type ChannelOptions,
  Client,
  compressionAlgorithms,
  connectivityState,
  logVerbosity,
  type ServiceError,
  setLogVerbosity,
  status,
} from '@grpc/grpc-js';
import { type CallerOptions, MAX_RESPONSE_BYTES } from './caller.ts';
import { connectingCredentials, hostPortOf } from './grpc-connection.ts';
import { openProxyUrl, proxyFor } from './proxy.ts';
import { addressOf } from './tunnel.ts';

/** A channel, used until something goes wrong with it. */
export type Line = {
  readonly client: Client;
  /** Calls under way. */
  readonly calls: Set<{ cancel(): void }>;
  /** Of its connection, also one that is only being made. */
  readonly sockets: Set<Socket>;
  /** Lets go of them, and of each that comes later. */
  readonly hangUp: () => void;
  /** Why there is no connection. */
  readonly error: () => unknown;
};

/**
 * A connection that nobody has used for so long is closed; balancers drop those without a word, after
 * four to six minutes.
 */
const IDLE_MS = 180_000;

/**
 * No HTTP/2 pings ('grpc.keepalive_time_ms'): servers in Go allow one in five minutes, and none without
 * calls, and end the connection after the third that is too early (GOAWAY, ENHANCE_YOUR_CALM). A call's
 * deadline finds a dead connection sooner.
 */
const CHANNEL: ChannelOptions = {
  'grpc.enable_retries': 0, // deliver.ts has its own
  'grpc.enable_http_proxy': 0, // it would read the environment
  'grpc.use_local_subchannel_pool': 1, // one destination's connection is not another's
  'grpc.service_config_disable_resolution': 1, // the DNS is asked for addresses, and nothing else
  'grpc.enable_channelz': 0,
  'grpc.client_idle_timeout_ms': IDLE_MS,
  'grpc.max_receive_message_length': MAX_RESPONSE_BYTES,
};

// It would write lines of its own to stderr; what it has to say is in the answers.
setLogVerbosity(logVerbosity.NONE);

/** Returns a line that connects with its first call. Throws ERR_DELIVERY for certificates of no use. */
export function openLine({ destination, version, proxy: settings }: CallerOptions): Line {
  const { endpoint, compression } = destination;
  const found = proxyFor(endpoint, settings);
  const proxy = found && openProxyUrl(found);
  let error: unknown;
  const onConnection = (failure: unknown) => (error = failure);
  const sockets = new Set<Socket>();
  let isClosed = false;
  const hangUp = () => {
    isClosed = true;
    for (const socket of sockets) socket.destroy();
  };
  const connecting = { sockets, isClosed: () => isClosed, onConnection };
  const given = { destination, ...connecting, ...(proxy && { proxy }) };
  const to = hostPortOf(destination);
  const { identity, gzip } = compressionAlgorithms;
  const client = new Client(proxy ? addressOf(proxy) : to, connectingCredentials(given), {
    ...CHANNEL,
    'grpc.default_compression_algorithm': compression === 'gzip' ? gzip : identity,
    'grpc.primary_user_agent': `signet/${version}`,
    // The proxy's address is what it connects to; what it asks for is the destination's.
    ...(proxy && { 'grpc.default_authority': to }),
  });
  return { client, calls: new Set(), sockets, hangUp, error: () => error };
}

/** Closes a line that has no calls. */
export function closeLine({ client, hangUp }: Line): void {
  client.close();
  hangUp();
}

/**
 * Returns whether a call failed for want of a connection. One on which nobody answers in time may be dead
 * without a word, for a quarter of an hour.
 */
export function isBroken({ client }: Line, { code }: ServiceError): boolean {
  if (code === status.DEADLINE_EXCEEDED) return true;
  return client.getChannel().getConnectivityState(false) !== connectivityState.READY;
}
