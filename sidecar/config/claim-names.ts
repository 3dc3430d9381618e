// Which claim holds what, for one issuer: what is written, over what its preset brings, over what is usual.
import { type ClaimNames, DEFAULT_CLAIM_NAMES } from '../identity/claims.ts';
import type { Preset } from '../identity/presets.ts';
import type { ClaimsSettings } from './schema-identity.ts';

/** What holds where nothing is written, and why. */
export type ClaimsBase = {
  readonly names: ClaimNames;
  /** Continues `default …`; empty for what is usual. */
  readonly why: (key: keyof ClaimNames) => string;
};

/** The settings under `claims`, and what they are called further on. */
export const CLAIM_KEYS = {
  user: 'user',
  team: 'team',
  team_prefix: 'teamPrefix',
  roles: 'roles',
  groups: 'groups',
  type: 'type',
} as const satisfies Record<keyof ClaimsSettings, keyof ClaimNames>;

/** Returns what a preset brings, over what is usual. */
export function baseOfPreset(name: string | undefined, { claims = {} }: Preset): ClaimsBase {
  return {
    names: { ...DEFAULT_CLAIM_NAMES, ...claims },
    why: (key) => (claims[key] === undefined ? '' : `of the preset ${name}`),
  };
}

/** Returns what holds for others, whose settings stand under this path. */
export function baseOfOthers(names: ClaimNames, path: string): ClaimsBase {
  return { names, why: () => `as ${path}` };
}

/** Returns the names that hold: what is written wins. */
export function claimNames(written: ClaimsSettings, base: ClaimsBase): ClaimNames {
  const { team_prefix: teamPrefix, ...others } = written;
  const given = Object.entries({ ...others, teamPrefix }).filter(([, name]) => name !== undefined);
  return { ...base.names, ...Object.fromEntries(given) };
}
