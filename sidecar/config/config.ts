// What Signet runs with, after environment and file were read, checked and joined. Types only; how
// it comes about is in load.ts. Nothing but `main.ts` takes this whole; each part takes its own.
import type { Destination } from '../otlp/destination.ts';
import type { ProxySettings } from '../otlp/proxy.ts';
import type { BearerIssuer } from '../identity/bearer.ts';
import type { ClaimNames } from '../identity/claims.ts';
import type { Secret } from '../secret.ts';
import type { TraceTrust } from '../trace/context.ts';
import type { PagesFiles } from './environment.ts';
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

/** A provider that people sign in at; what its preset brings is in. */
export type ProviderConfig = {
  /** For `idp:` and the path of its callback: lower case, unique among all who issue. */
  readonly name: string;
  /** What people read where they choose. */
  readonly label: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly scopes: readonly string[];
  readonly names: ClaimNames;
  /** Further parameters of the authorization request. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly signOut: 'local' | 'provider';
};

/** How long sessions live. */
export type SessionTimes = {
  readonly idleMs: number;
  readonly absoluteMs: number;
  /** Undefined: the provider is not asked again. */
  readonly recheckMs?: number;
};

/** For which hosts one sign-in is good: each by itself, all below a domain, or all by way of one of them. */
export type CookieConfig =
  | { readonly kind: 'host' }
  | { readonly kind: 'domain'; readonly domain: string }
  | { readonly kind: 'central'; readonly host: string };

/** Every setting, typed and checked. Paths are absolute. */
export type Config = {
  /** At least one; the first is that of the top level. */
  readonly providers: readonly [ProviderConfig, ...ProviderConfig[]];
  /** Hosts, lower case, that links may name behind a catch-all site. */
  readonly hosts: readonly string[];
  /** Empty: bearer tokens are not accepted. */
  readonly bearer: readonly BearerIssuer[];
  readonly session: SessionTimes;
  /** A PostgreSQL URL: sessions are there, and not in a file of the state folder. */
  readonly sessionStore?: Secret;
  readonly cookie: CookieConfig;
  /** Absent: the app gets no assertion. */
  readonly assertion?: { readonly issuer: string };
  /** What people see, where it is not what is built in. */
  readonly pages: PagesFiles;
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
