// What a sign-in begins, and what asking the provider again makes of it: what passes between whoever talks to
// providers and whoever keeps sessions.
import type { Fault } from '../fault.ts';
import type { Identity } from './identity.ts';

/** What the provider gave for asking it again, and for signing out there. */
export type SessionTokens = { readonly refreshToken?: string; readonly idToken?: string };

/** Who signed in. `sid` is the provider's name of its own session. */
export type Begun = {
  readonly identity: Identity;
  readonly tokens?: SessionTokens;
  readonly sid?: string;
  /** When the provider was asked who it is: what it ended later, ends this, too. Default: after all that. */
  readonly askedAtMs?: number;
};

/**
 * The provider took the refresh token and gave another, and what had to be checked then could not be. The person
 * is as they were, and so is the time when they were last confirmed.
 */
export type Unchecked = { readonly unchecked: Fault; readonly tokens: SessionTokens };

/** What came of asking again. `ended`: the provider has refused, or says that it is somebody else. */
export type Refreshed = Begun | Unchecked | { readonly ended: string };

/** Longest time that asking again may take. */
export const REFRESH_MS = 60_000;

/**
 * Asks the provider again, within REFRESH_MS. undefined: there is nothing to ask it with. Throws a Fault
 * ERR_PROVIDER when it can't be had; the session goes on then.
 */
export type Refresh = (session: {
  readonly identity: Identity;
  readonly tokens: SessionTokens;
  readonly sid?: string;
}) => Promise<Refreshed | undefined>;
