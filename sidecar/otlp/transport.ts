// What a destination is sent by, whatever the protocol: one OTLP request out, its answer back. The answers
// are sorted here as OTLP has them (1.x, "Failures"), so that deliver.ts need not know gRPC from HTTP.
import type { Signal } from './destination.ts';

/** What became of one request. `problem` is a sentence for people, without secrets. */
export type Answer =
  /** Taken. `response` is OTLP's message: what was rejected of it is in there (see read-response.ts). */
  | { readonly kind: 'acknowledged'; readonly response: Buffer }
  /** Not now: the same request may succeed later, not before `afterMs` where the destination asks for time (0: some). */
  | { readonly kind: 'retry'; readonly problem: string; readonly afterMs?: number }
  /** Never as it is: something in it is at fault, or it is too long. */
  | { readonly kind: 'refused'; readonly problem: string }
  /** Not retryable by OTLP's letter, and it doesn't say whether request or destination is at fault. */
  | { readonly kind: 'unclear'; readonly problem: string }
  /** The credentials were refused: another request would be, too, until they change. */
  | { readonly kind: 'unauthorized'; readonly problem: string }
  /** Nothing there that takes this signal: the endpoint is wrong. */
  | { readonly kind: 'misdirected'; readonly problem: string };

/** What isn't taken. */
export type Failure = Exclude<Answer, { readonly kind: 'acknowledged' }>;

/** The way to one destination. */
export type Transport = {
  /** Sends one request, with the credentials as they are now. Never rejects; ends by its own deadline. */
  send(signal: Signal, request: Buffer): Promise<Answer>;
  /** Returns whether the credentials are others than those that were last refused. Looks at their files. */
  haveCredentialsChanged(): boolean;
  /** What doesn't stop it yet: a file of credentials that can't be read now; those before serve on. */
  problem(): string | undefined;
  /** Ends what is under way (it is to be tried again), and all connections. */
  close(): void;
};
