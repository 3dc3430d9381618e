// The same of what the gate reads before it answers: every header that a client, a caller or Caddy may
// write, and the block's requirement. While it reads, nobody else is answered.
import type { Gate } from '../../sidecar/gate.ts';
import { cookieNames } from '../../sidecar/identity/cookie.ts';
import { identity } from '../fixtures/identities.ts';
import { createTestGate, fromCaddy } from '../fixtures/gate.ts';
import { slowestOf, type See, type Slowest } from './linear-time.ts';

const UNITS = [
  ...[' ', '\t', ',', ';', '=', '+', '%', '-', '@', '"', '.', ':', '/', '0', 'a', '\u00e9'],
  ...[
    ' ,',
    '; ',
    'a=b',
    'a=b,',
    'a=b;',
    ',a=b \t',
    'a@',
    '0-',
    '%41',
    'bearer ',
    'team:a,',
    'team:a+',
  ],
  ...['__Host-signet', '__Host-signet=; ', '&require='],
];

/** A header's value around so much of something: the end is not where the run is. */
const FRAMES: readonly ((filler: string) => string)[] = [
  (filler) => filler,
  (filler) => `a=b${filler}c`,
  (filler) => `a${filler}=b`,
  (filler) => `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01${filler}c`,
];

const TRACEPARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const HEADERS = [
  ...['tracestate', 'baggage', 'cookie', 'authorization', 'user-agent', 'accept', 'traceparent'],
  ...['sec-fetch-mode', 'x-forwarded-uri', 'x-forwarded-host', 'x-request-id'],
];

/** Ten times as much is more than all headers of a request may have together. */
const SHORT_BYTES = 7_000;

/** Returns the slowest of it. Throws when one is not linear. */
export async function checkLinearGate(): Promise<Slowest> {
  const it = createTestGate({ trust: 'always' });
  const cookie = await it.signIn(identity({}));
  try {
    return slowestOf((see) => seeGate(see, it.gate, cookie), SHORT_BYTES);
  } finally {
    await it.close();
  }
}

function seeGate(see: See, gate: Gate, cookie: string): void {
  const known = fromCaddy({ cookie, traceparent: TRACEPARENT });
  for (const unit of UNITS) {
    for (const [number, frame] of FRAMES.entries()) {
      for (const header of HEADERS) {
        const ask = (text: string) =>
          gate.verify('/verify?route=a', { ...known, [header]: frame(text) });
        see(`verify (${header}, ${number})`, ask, unit);
      }
      const required = (text: string) =>
        gate.verify(`/verify?route=a&require=${frame(text)}`, known);
      see(`verify (require, ${number})`, required, unit);
      see(
        `verify (target, ${number})`,
        (text) => gate.verify(`/verify?route=${frame(text)}`, known),
        unit,
      );
      see(`cookieNames (${number})`, (text) => cookieNames(frame(text), '__Host-s'), unit);
    }
  }
}
