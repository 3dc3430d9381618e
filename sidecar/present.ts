// What is said of an identity on every wire, made once: the same session is the same object.
import type { RowIdentity } from './audit/row.ts';
import { identityHeaders } from './identity/headers.ts';
import type { Identity } from './identity/identity.ts';
import { stampedIdentity } from './stamp.ts';
import { identityBaggage } from './trace/baggage.ts';

/** One identity, ready for the app's headers, its baggage, and the stamp. */
export type Presented = {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly baggage: string;
  readonly stamped: RowIdentity;
};

/** What is said where nobody is known, or is to be told of. */
export const NOBODY = { headers: [], baggage: '', stamped: undefined };

/** Returns a function that presents an identity, or nobody, and remembers it as long as it lives. */
export function createPresent(): (identity: Identity | undefined) => Presented | typeof NOBODY {
  const made = new WeakMap<Identity, Presented>();
  return (identity) => {
    if (identity === undefined) return NOBODY;
    const known = made.get(identity);
    if (known !== undefined) return known;
    const fresh = {
      headers: identityHeaders(identity),
      baggage: identityBaggage(identity),
      stamped: stampedIdentity(identity),
    };
    made.set(identity, fresh);
    return fresh;
  };
}
