// Which advice a refused sign-in gets: many reasons are one to whoever reads the page. The row has the reason itself.
import type { SignInReason } from '../identity/reason.ts';
import type { TextKey } from './texts.ts';

/** What is told apart on the page; the catalogue has a title, a text and often a word for the operator of each. */
export type Advice =
  | 'cookies'
  | 'mismatch'
  | 'used'
  | 'expired'
  | 'refused'
  | 'redirect'
  | 'clock'
  | 'audience'
  | 'code'
  | 'untrusted'
  | 'provider'
  | 'host'
  | 'loop';

/** Returns the advice for a reason. */
export function adviceFor(reason: SignInReason): Advice {
  return ADVICE[reason];
}

/** Returns the key of what the operator is told; undefined where the person alone can mend it. */
export function operatorKey(advice: Advice): TextKey | undefined {
  switch (advice) {
    case 'mismatch':
    case 'used':
    case 'expired':
    case 'refused':
    case 'provider':
      return undefined;
    default:
      return `failed.${advice}.operator`;
  }
}

const ADVICE: Record<SignInReason, Advice> = {
  'state-missing': 'cookies',
  'state-mismatch': 'mismatch',
  'state-used': 'used',
  'state-expired': 'expired',
  'provider-refused': 'refused',
  'provider-unknown': 'provider',
  'redirect-uri-refused': 'redirect',
  'clock-off': 'clock',
  'id-token-expired': 'clock',
  'id-token-not-yet-valid': 'clock',
  'id-token-audience': 'audience',
  'code-refused': 'code',
  'issuer-mismatch': 'untrusted',
  'id-token-signature': 'untrusted',
  'id-token-algorithm': 'untrusted',
  'id-token-issuer': 'untrusted',
  'id-token-nonce': 'untrusted',
  'id-token-claims': 'untrusted',
  'userinfo-invalid': 'untrusted',
  'host-not-allowed': 'host',
  'sign-in-loop': 'loop',
};
