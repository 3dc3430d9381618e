// The event that says that a person was forgotten: signed, because it is what allows values to be gone.
// Pure; keys are handed in.
import type { Columns } from './database.ts';
import { signatureOf, signednessOf, type Signedness } from './head.ts';
import type { PublicKeys, SigningKey } from './signing-key.ts';

export type Forgetting = {
  readonly chain: string;
  readonly person: number;
  /** Rows whose values were erased. */
  readonly rows: number;
  /** When, and the start of the event. */
  readonly startedAtUs: number;
};

/** The event as a verification reads it. */
export type ForgottenEvent = Pick<Forgetting, 'person' | 'rows'> & {
  readonly keyId: string;
  readonly signedness: Signedness;
};

/** Returns the event's details. */
export function forgottenDetails(
  forgetting: Forgetting,
  signingKey: SigningKey,
): Record<string, string | number> {
  const { person, rows } = forgetting;
  const { keyId: key, signature } = signatureOf(textOf(forgetting), signingKey);
  return { person, rows, key, signature };
}

/** Returns what the event says, given its details; never throws, whatever they are. */
export function readForgotten(
  { started_at_us: startedAtUs }: Columns,
  { person, rows, key, signature }: Readonly<Record<string, unknown>>,
  chain: string,
  publicKeys: PublicKeys,
): ForgottenEvent {
  const isWhole = isCount(person, 1) && isCount(rows, 0) && isCount(startedAtUs, 0);
  const keyId = typeof key === 'string' ? key : 'none';
  // Nobody is person 0, and is never forgotten.
  if (!isWhole) return { person: 0, rows: 0, keyId, signedness: 'forged' };
  const text = textOf({ chain, person, rows, startedAtUs });
  const signedness = signednessOf(text, { keyId: key, signature }, publicKeys);
  return { person, rows, keyId, signedness };
}

function textOf({ chain, person, rows, startedAtUs }: Forgetting): string {
  return JSON.stringify(['signet forgotten 1', chain, person, rows, startedAtUs]);
}

function isCount(value: unknown, least: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= least;
}
