// The certificates of a destination: whom it trusts, and what it shows. Looked at once, at start, by
// what will use them.
import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Destination } from '../otlp/destination.ts';
import { type Entry, isStandard, otelSetting, settingOf } from './destination-entries.ts';
import type { Reading } from './reading.ts';
import { shown } from './shown.ts';

type Files = Pick<Destination, 'certificateFile' | 'clientCertificateFile' | 'clientKeyFile'>;

/** The settings, and what OTEL_EXPORTER_OTLP_* calls them. */
const KINDS = {
  certificate: 'CERTIFICATE',
  client_certificate: 'CLIENT_CERTIFICATE',
  client_key: 'CLIENT_KEY',
} as const;

type Pem = {
  readonly path: string;
  readonly where: string;
  /** Undefined if it can't be read, which is reported. */
  readonly text: string | undefined;
};

/** Returns the files; reports those that aren't what they should be, or don't go together. */
export function readTls(entry: Entry, reading: Reading): Files {
  const authorities = readPem(entry, 'certificate', reading);
  const certificate = readPem(entry, 'client_certificate', reading);
  const key = readPem(entry, 'client_key', reading);
  if (authorities) checkAuthorities(authorities, reading);
  if (certificate && key) checkPair(certificate, key, reading);
  else if (certificate || key) reportHalf(entry, certificate ?? key, reading);
  return {
    ...(authorities && { certificateFile: authorities.path }),
    ...(certificate && { clientCertificateFile: certificate.path }),
    ...(key && { clientKeyFile: key.path }),
  };
}

function readPem(entry: Entry, kind: keyof typeof KINDS, reading: Reading): Pem | undefined {
  const { given, readText, sources } = reading;
  const standard = isStandard(entry) ? otelSetting(given, KINDS[kind]) : undefined;
  const file = standard?.value ?? entry[`${kind}_file`];
  if (file === undefined) return undefined;
  const where = standard?.where ?? settingOf(entry, `${kind}_file`);
  return { path: resolve(sources.cwd, file), where, text: readText(file, where) };
}

function checkAuthorities(pem: Pem, reading: Reading): void {
  if (pem.text === undefined) return;
  const blocks = pem.text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length > 0 && blocks.every(isCertificate)) return;
  reportPem(pem, 'certificates in PEM form', reading);
}

// OpenSSL passes over authorities that are none.
function isCertificate(block: string): boolean {
  try {
    void new X509Certificate(block);
    return true;
  } catch {
    return false;
  }
}

function checkPair(certificate: Pem, key: Pem, reading: Reading): void {
  const { text: cert } = certificate;
  if (cert === undefined || key.text === undefined) return;
  if (!isTaken({ cert })) return reportPem(certificate, 'a certificate in PEM form', reading);
  if (isTaken({ cert, key: key.text })) return;
  reportPem(key, "that certificate's private key in PEM form, without a passphrase", reading);
}

function isTaken(options: SecureContextOptions): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}

function reportPem({ path, where }: Pem, allowed: string, { report }: Reading): void {
  report({ where, read: `${shown(path)}, something else`, allowed });
}

function reportHalf(entry: Entry, half: Pem | undefined, { report }: Reading): void {
  const where = half?.where ?? entry.where;
  const allowed = 'a client certificate and its key, or neither';
  report({ where, read: 'one of the two', allowed, mend: 'name the other file, too' });
}
