// This installation's client at the provider, and the provider's name: read from texts.
import { type Secret, secret } from '../secret.ts';
import { type Parsed, refuse } from './parsed.ts';

/** What RFC 6749 (appendix A.1 and A.2) lets a client's id and secret consist of. */
const VISIBLE = /^[\x20-\x7e]+$/;
const MAX_CHARS = 4096;

/** Returns the issuer as it is: it is compared as text. */
export function parseIssuer(text: string, isIssuer: (text: string) => boolean): Parsed<string> {
  if (isIssuer(text) && !/[\p{Cc}\p{Cf}]/u.test(text)) return { value: text };
  return refuse(
    text,
    "the issuer's URL as the provider writes it, such as https://login.example.com: https, or http on this machine, without a query",
  );
}

/** Returns the client's id. */
export function parseClientId(text: string): Parsed<string> {
  if (VISIBLE.test(text) && text.trim() === text && text.length <= MAX_CHARS)
    return { value: text };
  return refuse(text, "the client's id as the provider has it: printable ASCII");
}

/** Returns the secret without the space around it; undefined if there is none. What was read is not quoted. */
export function parseSecret(text: string): Parsed<Secret | undefined> {
  const trimmed = text.trim();
  if (trimmed === '') return { value: undefined };
  if (VISIBLE.test(trimmed) && trimmed.length <= MAX_CHARS) return { value: secret(trimmed) };
  return { problem: 'a secret is one line of printable ASCII' };
}
