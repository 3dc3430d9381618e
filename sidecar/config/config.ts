// What Signet runs with, after environment and file were read, checked and joined. Types only; how
// it comes about is in load.ts. Nothing but `main.ts` takes this whole; each part takes its own.
import type { Destination } from '../otlp/destination.ts';
import type { ProxySettings } from '../otlp/proxy.ts';
import type { BearerIssuer } from '../identity/bearer.ts';
import type { ClaimNames } from '../identity/claims.ts';
import type { Secret } from '../secret.ts';
import type { TraceTrust } from '../trace/context.ts';
import type { SamplingSettings } from './sampling.ts';

/** Where the gate listens: a unix socket, or TCP with a key that Caddy must show. */
export type Listen =
  | { readonly socket: string }
  | { readonly host: string; readonly port: number; readonly key: Secret };

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** How long rows are kept. */
export type Retention = {
  /** Undefined: for ever. */
  readonly rowsMs?: number;
  /** How much longer rows wait for a destination that lacks them. */
  readonly undeliveredMs: number;
};

/** Every setting, typed and checked. Paths are absolute. */
export type Config = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly scopes: readonly string[];
  /** Hosts, lower case, that links may name behind a catch-all site. */
  readonly hosts: readonly string[];
  readonly claims: ClaimNames;
  /** Empty: bearer tokens are not accepted. */
  readonly bearer: readonly BearerIssuer[];
  readonly session: { readonly idleMs: number; readonly absoluteMs: number };
  readonly trace: { readonly trust: TraceTrust };
  /** OpenTelemetry resource attributes; always `service.name` and `deployment.environment.name`. */
  readonly resource: Readonly<Record<string, string>>;
  readonly listen: Listen;
  /** Loopback. Port 0 takes a free one. */
  readonly health: { readonly host: string; readonly port: number };
  readonly accessLog: string;
  readonly stateFolder: string;
  /** A PostgreSQL URL: the audit store is there, and not a file in the state folder. */
  readonly auditStore?: Secret;
  /** The file that each signed head of the audit chain is added to. */
  readonly headsFile: string;
  readonly retention: Retention;
  /** Empty: rows are kept, nothing is sent. */
  readonly destinations: readonly Destination[];
  /** The ways to them that lead through a proxy. */
  readonly proxy?: ProxySettings;
  readonly sampling: SamplingSettings;
  /** Query parameters to redact beside the built-in ones. */
  readonly redactQuery: readonly string[];
  /** What is kept of a client's address. */
  readonly clientAddress: 'keep' | 'truncate' | 'hash';
  readonly logLevel: LogLevel;
  /** Sentences about what holds and may not be meant: one setting that another one wins over. */
  readonly warnings: readonly string[];
  /** The key ring's text, when it is given rather than kept in the state folder. */
  readonly keys?: Secret;
};
