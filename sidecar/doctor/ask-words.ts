// Why no answer came, in a few words. Pure.
import { explain } from '../fault.ts';

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it hung up',
  EPIPE: 'it hung up',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name server does not answer',
  EHOSTUNREACH: 'there is no way to this host',
  ENETUNREACH: 'there is no way to this host',
  ETIMEDOUT: 'nobody answers there',
  EPROTO: 'TLS can’t be agreed on',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS there',
  ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR: 'it has no certificate for this host (yet)',
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'it has no certificate for this host (yet)',
  ERR_SSL_TLSV1_ALERT_UNRECOGNIZED_NAME: 'it has no certificate for this host (yet)',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks no TLS from 1.2 on',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks no TLS from 1.2 on',
  HPE_HEADER_OVERFLOW: 'its headers are longer than 64 KiB',
};

/** Returns what an error of a connection means to people. */
export function wordsOf(error: unknown, withinMs: number): string {
  const { name, code } = Object(error) as { name?: unknown; code?: unknown };
  if (name === 'TimeoutError' || name === 'AbortError')
    return `no answer within ${Math.round(withinMs / 100) / 10} s`;
  const told = typeof code === 'string' ? code : '';
  const words = WORDS[told] ?? (told.startsWith('HPE_') ? 'it does not speak HTTP' : undefined);
  if (words !== undefined) return words;
  // OpenSSL's own texts have the thread's number in them.
  return told.startsWith('ERR_SSL_') ? `TLS failed (${told})` : explain(firstOf(error));
}

// Of several addresses that were tried one after another, each has its own error.
function firstOf(error: unknown): unknown {
  const { errors } = Object(error) as { errors?: unknown };
  return Array.isArray(errors) && errors.length > 0 ? errors[0] : error;
}
