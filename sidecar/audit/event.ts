// What is recorded beside requests: security events, and what happens to the evidence itself. The
// closed list; names and codes are part of Signet's interface and never change their meaning.

/** Event → its code. 1xx people, 2xx the installation, 3xx the evidence. */
export const EVENT_CODES = {
  'sign-in': 'SIG-101',
  'sign-in-failed': 'SIG-102',
  'sign-out': 'SIG-103',
  'session-revoked': 'SIG-104', // ended not by the person: a new sign-in, the provider, the command (detail `why`)
  'key-ring-changed': 'SIG-201',
  'configuration-changed': 'SIG-202',
  'deployment-marked': 'SIG-203', // by `signet deploy mark`
  'store-opened': 'SIG-301',
  'recorder-gap': 'SIG-302', // a part of the log is gone, or was read again
  'decision-lost': 'SIG-303', // the gate decided, and Caddy's line about it never came
  'verification-run': 'SIG-304',
  'person-forgotten': 'SIG-305',
  'rows-removed': 'SIG-306',
  'store-replaced': 'SIG-307', // the heads published last are of another chain than the store's
} as const;

export type EventName = keyof typeof EVENT_CODES;

export const EVENT_NAMES = Object.keys(EVENT_CODES) as readonly EventName[];

/** What a row may be about. */
export const ROW_KINDS = ['request', 'unexplained', 'lost', 'event'] as const;
