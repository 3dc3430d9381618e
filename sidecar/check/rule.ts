// What a rule gets, and what it gives. Pure.
import { type Adapted, recordAt } from '../edge/adapted.ts';
import { applyOps, type Headers } from '../edge/header-flow.ts';
import type { CaddyVersion } from '../edge/version.ts';
import type { Visit } from '../edge/walk.ts';
import type { Code } from './codes.ts';
import type { Found } from './finding.ts';

/** What the sidecar's own settings say, where they can be read. */
export type EdgeSettings = {
  /** The file that the recorder reads. */
  readonly accessLog?: string | undefined;
  /** Where the sidecar listens, as Caddy dials it: `unix//run/signet/sidecar.sock`, `0.0.0.0:9000`. */
  readonly listen?: string | undefined;
  /** Names that `idp:` may have; undefined where they are not known. */
  readonly vouchers?: readonly string[] | undefined;
  /** Whether bearer tokens are taken at all. */
  readonly hasTokens?: boolean | undefined;
};

/** A site: its handlers, in the order in which they run. */
export type Site = {
  readonly key: string;
  readonly server: string;
  readonly hosts: readonly string[];
  readonly visits: readonly Visit[];
  /** Whether Signet has a part in it: a gate, or a block that was declared open. */
  readonly isSignets: boolean;
  /** Whether it has gates or open blocks, and nothing of `import signet`: one finding, instead of all that follows. */
  readonly lacksSignet: boolean;
};

/** What all rules look at. */
export type Edge = {
  readonly adapted: Adapted;
  readonly sites: readonly Site[];
  /** Where gates dial. */
  readonly sidecars: readonly string[];
  readonly caddy: CaddyVersion | undefined;
  readonly settings: EdgeSettings;
  /** Of Caddy, as far as it is that of whoever checks. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Logs of which the Caddyfile has more than one of one name. */
  readonly namedTwice: readonly string[];
};

export type Rule = (edge: Edge) => readonly Found[];

/** Returns a finding about a handler. */
export function foundAt(code: Code, { pointer, hosts, path, handler }: Visit, seen: string): Found {
  return { code, where: { pointer, hosts, path, handler: handler.handler }, seen };
}

/** Returns a finding about a site, a server or the whole. */
export function foundIn(
  code: Code,
  pointer: string,
  hosts: readonly string[],
  seen: string,
): Found {
  return { code, where: { pointer, hosts, path: [] }, seen };
}

/** Returns whether the gate surely let pass what comes here. */
export function isGuarded({ known }: Visit): boolean {
  return known.sure.includes('gate');
}

/** Returns whether its operator said that this is open. */
export function isDeclaredOpen({ known }: Visit): boolean {
  return known.sure.includes('open');
}

/** Returns who says what stands in the headers that a handler sends on. */
export function headersSent({ handler, known }: Visit): Headers {
  return applyOps(known.headers, recordAt(handler['headers'])['request']);
}
