// What an examination works on: the site, and what of the installation is here besides. Types only.
import type { AuditReader } from '../audit/reader.ts';
import type { Failed, Site } from './ask.ts';
import type { Program } from './caddy.ts';
import type { Sending } from './destinations.ts';
import type { Readiness } from './health.ts';
import type { Issuer, Looked } from './issuers.ts';

/** What is here, or a sentence why it isn't. */
export type Known<T> = { readonly is: T } | { readonly why: string };

/** The settings of who may prove identities, and where the sidecar is. */
export type Installed = {
  readonly issuers: readonly Issuer[];
  /** Where Caddy's log is, as the sidecar looks for it. */
  readonly accessLog: string;
  /** Of the health listener, as one types it. */
  readonly health: string;
  /** Never rejects. */
  readonly askHealth: () => Promise<Readiness | Failed>;
};

export type Examination = {
  readonly site: Site;
  /** Of this command. */
  readonly version: string;
  readonly caddy: Program;
  readonly installed: Known<Installed>;
  readonly sending: Known<Sending>;
  readonly record: Known<AuditReader>;
  /** Hears what is waited for. */
  readonly tell: (text: string) => void;
};

/** What was found out beside the site. */
export type Beside = {
  /** In the order of the settings. */
  readonly issuers: readonly Looked[];
  /** Undefined where nobody says where to ask. */
  readonly health: Readiness | Failed | undefined;
};
