// A place that traces, logs and metrics are sent to: what its transport has to know. Which backends are
// known by name is in profiles.ts; where all of it is read from is config's.
import type { Secret } from '../secret.ts';

/** What is sent: three kinds, as OpenTelemetry has them. */
export type Signal = 'traces' | 'logs' | 'metrics';

/** How it is sent: the words of OTEL_EXPORTER_OTLP_PROTOCOL. */
export type Protocol = 'grpc' | 'http/protobuf';

/** How many spans may be sent at most; either, or both. Whole and more than 0. */
export type Budget = {
  readonly spansPerSecond?: number;
  /** Of a day in UTC. */
  readonly spansPerDay?: number;
};

/** A credential that is read anew, because it rotates: the header's value is prefix and token. */
export type TokenFile = {
  /** Lower case. */
  readonly header: string;
  /** In front of the token, with its space; may be empty. */
  readonly prefix: string;
  /** Absolute. Space around the token is no part of it. */
  readonly path: string;
  /** The token goes out in base64, as HTTP's Basic has it (RFC 7617). */
  readonly encoding?: 'base64';
};

/** One OTLP endpoint with its credentials. Files are absolute paths, and were sound at start. */
export type Destination = {
  /** Unique; the cursors in the store hang on it. */
  readonly name: string;
  readonly protocol: Protocol;
  /** gRPC: `scheme://host:port`. HTTP: the base that `/v1/traces` is appended to, without a slash at its end. */
  readonly endpoint: string;
  /** Whole URLs that are taken as they are instead; HTTP only. */
  readonly urls?: Readonly<Partial<Record<Signal, string>>>;
  /** Sent with each call: lower-case names, and values that don't change while it runs. */
  readonly headers: Readonly<Record<string, Secret>>;
  readonly tokenFile?: TokenFile;
  /** Variables that `headers` were read from, for whoever has to mend them. */
  readonly credentialVariables?: readonly string[];
  /** `name=value` lines, read anew as the token is. */
  readonly headersFile?: string;
  /** PEM file with the certificate authorities to trust instead of the system's. */
  readonly certificateFile?: string;
  /** PEM files; both or neither. */
  readonly clientCertificateFile?: string;
  readonly clientKeyFile?: string;
  readonly compression: 'gzip' | 'none';
  /** At least one. */
  readonly signals: readonly Signal[];
  /** Of spans; logs and metrics have none. */
  readonly budget?: Budget;
};

/** Returns whether it is on this machine: its endpoint is a loopback address, or `localhost`. */
export function isOnThisMachine({ endpoint }: Pick<Destination, 'endpoint'>): boolean {
  return /^https?:\/\/(localhost|127(\.\d+){3}|\[::1\])(:\d+)?(\/.*)?$/.test(endpoint);
}

/**
 * Returns the names of its cursors: `x` for traces and `x/logs` for logs. Metrics have none: they are
 * sums as they stand, and of no row.
 */
export function cursorNames({ name, signals }: Pick<Destination, 'name' | 'signals'>): string[] {
  const recorded = (['traces', 'logs'] as const).filter((signal) => signals.includes(signal));
  return recorded.map((signal) => (signal === 'traces' ? name : `${name}/${signal}`));
}

/** Returns the URL that a signal is posted to; of HTTP only (OTLP exporter, "Endpoint URLs for OTLP/HTTP"). */
export function urlOf({ endpoint, urls }: Pick<Destination, 'endpoint' | 'urls'>, signal: Signal) {
  return urls?.[signal] ?? `${endpoint}/v1/${signal}`;
}
