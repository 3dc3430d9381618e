// A place that spans are sent to, and the profiles of those that are known by name.
import type { Secret } from '../secret.ts';

/** Where spans go: one OTLP/gRPC endpoint with its credentials. Its name is the key of its cursor. */
export type Destination = {
  /** Unique; the cursor in the store hangs on it. */
  readonly name: string;
  /** `https://host:port` for TLS, `http://host:port` for plaintext. */
  readonly endpoint: string;
  /** gRPC metadata sent with each call: lower-case names. Values may be credentials. */
  readonly metadata: Readonly<Record<string, Secret>>;
  /** PEM file with the certificate authorities to trust instead of the system's. */
  readonly certificateFile?: string;
};

/** Returns whether it is on this machine: its endpoint is a loopback address, or `localhost`. */
export function isOnThisMachine({ endpoint }: Pick<Destination, 'endpoint'>): boolean {
  return /^https?:\/\/(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(endpoint);
}

/** What is known of a backend that needs nothing but a token. Data, not code. */
export type Profile = {
  readonly endpoint: string;
  readonly tokenHeader?: string;
};

/** Endpoints and credential headers as the vendors document them. */
export const PROFILES: Readonly<Record<string, Profile>> = {
  lightstep: {
    endpoint: 'https://ingest.lightstep.com:443',
    tokenHeader: 'lightstep-access-token',
  },
  otlp: { endpoint: 'http://localhost:4317' },
};
