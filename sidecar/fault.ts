// The one error class: something that Signet depends on failed. What a caller did wrong is never a
// Fault; it is a value (a Reason) and is answered, not thrown.

/** Everything that can fail around Signet. Each code is stable: logs and `/readyz` print it. */
export type FaultCode =
  | 'ERR_CONFIG' // settings are missing or contradict each other; exit code 78
  | 'ERR_KEYS' // the key ring can't be read or holds no key
  | 'ERR_SESSION_STORE' // the session store can't be read or written: closes (503)
  | 'ERR_AUDIT_STORE' // the audit store can't be read or written: loud, does not close
  | 'ERR_STORE_DAMAGED' // a file is there but is no sound database: never overwritten
  | 'ERR_STORE_NEWER' // the store was written by a newer Signet
  | 'ERR_PROVIDER' // the OpenID provider can't be reached or answers nonsense
  | 'ERR_STATE_IN_USE' // another sidecar works in this state folder
  | 'ERR_SOCKET_IN_USE' // another process listens where Signet should
  | 'ERR_CADDY' // Caddy is missing, or too old to be safe
  | 'ERR_RECORDER' // the recorder's thread does not answer: tried again
  | 'ERR_DELIVERY'; // a destination can't be reached: tried again

/** A failure with a stable code, a sentence for people, and its cause. */
export class Fault extends Error {
  readonly code: FaultCode;

  constructor(code: FaultCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'Fault';
    this.code = code;
  }
}

/** Returns the messages of an error and of its causes, outermost first, for one log line. */
export function explain(error: unknown): string {
  const messages: string[] = [];
  for (let at = error, depth = 0; at !== undefined && at !== null && depth < 5; depth++) {
    const message = messageOf(at);
    // Many an error quotes its cause.
    if (!messages.some((said) => said.includes(message))) messages.push(message);
    at = typeof at === 'object' && 'cause' in at ? at.cause : undefined;
  }
  return messages.join(': ');
}

// By its shape, not by `instanceof`: errors of Node's own can come from another realm.
function messageOf(error: {}): string {
  if (typeof error === 'object' && 'message' in error) return String(error.message);
  return typeof error === 'string' ? error : JSON.stringify(error);
}
