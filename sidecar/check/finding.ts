// What a rule says when it found something, and what becomes of it for whoever reads it.
import type { Code, Severity } from './codes.ts';

/** Where it is in the configuration, for people and programs. */
export type Where = {
  /** In the adapted JSON (RFC 6901): `/apps/http/servers/srv0/routes/0`; empty for the whole. */
  readonly pointer: string;
  /** The site's hosts, as Caddy matches them; empty where it has none. */
  readonly hosts: readonly string[];
  /** In words, from the outside in: `handle /admin*`, `reverse_proxy app:3000`. */
  readonly path: readonly string[];
  /** What Caddy calls the handler, if it is about one. */
  readonly handler?: string | undefined;
};

/** What a rule found. */
export type Found = {
  readonly code: Code;
  readonly where: Where;
  /** What was seen, one sentence; nothing secret. */
  readonly seen: string;
};

/** A line of a file. */
export type SourceLine = {
  readonly file: string;
  /** From 1. */
  readonly line: number;
};

/** What is reported. */
export type Finding = Found & {
  readonly severity: Severity;
  readonly title: string;
  readonly risk: string;
  readonly mend: string;
  /** In the Caddyfile, where that can be told. */
  readonly source?: SourceLine | undefined;
};
