// The certificates of a destination's connection, and what went wrong with them in words that name the
// setting which mends it. Read for each connection: they rotate as tokens do.
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { explain, Fault } from '../fault.ts';
import { readBounded } from './bounded-file.ts';
import type { Destination } from './destination.ts';

/** All authorities of the world have 300 KB. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

type Files = Pick<Destination, 'certificateFile' | 'clientCertificateFile' | 'clientKeyFile'>;

/** Returns authorities, client certificate and key; throws ERR_DELIVERY that names the file at fault. */
export function readCertificates(files: Files): SecureContextOptions {
  const ca = read('certificate_file', files.certificateFile, certificates);
  const cert = read('client_certificate_file', files.clientCertificateFile, certificates);
  const key = read('client_key_file', files.clientKeyFile, (pem) => pem);
  const options = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  try {
    createSecureContext(options);
  } catch (cause) {
    const text = 'client_certificate_file and client_key_file are no pair that can be used';
    throw new Fault('ERR_DELIVERY', text, { cause });
  }
  return options;
}

function read(
  setting: string,
  path: string | undefined,
  parse: (pem: Buffer) => Buffer,
): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    return parse(readBounded(path, MAX_FILE_BYTES));
  } catch (cause) {
    throw new Fault('ERR_DELIVERY', `${setting} ${path} is of no use`, { cause });
  }
}

// OpenSSL takes a file without certificates for an empty list, and then trusts nobody, without a word.
function certificates(pem: Buffer): Buffer {
  void new X509Certificate(pem);
  return pem;
}

const UNKNOWN_AUTHORITY =
  'its certificate is of no authority that is trusted here: name that one’s with certificate_file';
const CLIENT_UNKNOWN =
  'it wants a certificate of ours that it trusts: client_certificate_file and client_key_file';
const NO_TLS = 'TLS can’t be agreed on: it may not be spoken there, correct the endpoint';

/** By Node's and OpenSSL's codes. */
const MEANINGS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
  ERR_TLS_CERT_ALTNAME_INVALID:
    'its certificate is for another host: correct the endpoint, or certificate_file if another should answer',
  CERT_HAS_EXPIRED: 'its certificate has expired, or that of certificate_file has',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet, or this machine’s clock is behind',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: CLIENT_UNKNOWN,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: CLIENT_UNKNOWN,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: CLIENT_UNKNOWN,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: CLIENT_UNKNOWN,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: CLIENT_UNKNOWN,
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
};

/** Returns why a connection failed: what is wrong with its certificates, if that is it. */
export function explainConnection(error: unknown): string {
  const { code } = Object(error) as { code?: unknown };
  if (typeof code !== 'string') return explain(error);
  // OpenSSL's own texts have the thread's number in them: each would be a new problem.
  const meaning = MEANINGS[code] ?? (code.startsWith('ERR_SSL_') ? 'TLS failed' : undefined);
  return meaning === undefined ? explain(error) : `${meaning} (${code})`;
}
