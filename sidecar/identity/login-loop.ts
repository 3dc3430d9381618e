// Notices a browser that signs in again and again within seconds, because its session does not hold.
// Counted in a sealed cookie of that browser; the server keeps nothing.
import type { KeyObject } from 'node:crypto';
import { clearCookie, readCookie, setCookie } from './cookie.ts';
import { seal, unseal } from './sealed.ts';

const NAME = '__Host-signet-loop';
/** A sign-in this soon after the last one counts. */
const WINDOW_MS = 30_000;
const MAX_SIGN_INS = 3;

type Marker = { readonly signIns: number; readonly atMs: number };

/** Returns how many sign-ins this browser has finished in a row, each within 30 s, or `loop` from the third on. */
export function countSignIns(
  cookies: string | undefined,
  keys: readonly KeyObject[],
  nowMs: number,
): number | 'loop' {
  const sealed = readCookie(cookies, NAME);
  const marker = sealed === undefined ? undefined : unseal(sealed, NAME, keys);
  if (!isMarker(marker) || nowMs - marker.atMs > WINDOW_MS) return 0;
  return marker.signIns >= MAX_SIGN_INS ? 'loop' : marker.signIns;
}

/** Returns the `Set-Cookie` that counts one more finished sign-in; without arguments, one that forgets. */
export function loopMarker(finished?: {
  signIns: number;
  nowMs: number;
  keys: readonly KeyObject[];
}): string {
  if (finished === undefined) return clearCookie(NAME);
  const marker: Marker = { signIns: finished.signIns + 1, atMs: finished.nowMs };
  return setCookie(NAME, seal(marker, NAME, finished.keys), WINDOW_MS / 1_000);
}

function isMarker(value: unknown): value is Marker {
  return typeof value === 'object' && value !== null && 'signIns' in value && 'atMs' in value;
}
