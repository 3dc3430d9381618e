// The schema of one entry under `destinations`. What goes together, and what a profile needs besides,
// is destinations.ts's to say.
import { z } from 'zod';
import { PROFILES } from '../otlp/profiles.ts';
import { count, PLAIN_URL, text, UNLESS_WRONG } from './schema-parts.ts';

const SIGNALS = ['traces', 'logs', 'metrics'] as const;

/** The words of the file, and what OTEL_EXPORTER_OTLP_PROTOCOL says, too. */
export const PROTOCOLS = ['grpc', 'http/protobuf'] as const;

export const COMPRESSIONS = ['gzip', 'none'] as const;

const limit = count.optional().describe('how many spans: a whole number, more than 0');

const budget = z
  .strictObject({ spans_per_second: limit, spans_per_day: limit })
  .refine((limits) => Object.keys(limits).length > 0, UNLESS_WRONG)
  .meta({ minProperties: 1 });

export const destination = z.strictObject({
  // No `/`: what follows one is a signal's, in the names of cursors.
  name: z
    .string()
    .regex(/^[\w.:@-]+$/)
    .describe('a name of its own: letters, digits, and . _ : @ -'),
  profile: z
    .enum(Object.keys(PROFILES))
    .optional()
    .describe(
      'a backend known by name (by default the one that the entry is named after, or else otlp)',
    ),
  protocol: z.enum(PROTOCOLS).optional().describe('how it is sent'),
  endpoint: text
    .meta({ pattern: PLAIN_URL, examples: ['https://collector.example.com:4317'] })
    .optional()
    .describe('a URL: https:// for TLS, http:// for plaintext'),
  token_file: text.optional().describe('a file with the access token'),
  headers_file: text.optional().describe('a file with a line `name=value` for each header'),
  certificate_file: text.optional().describe('a PEM file with the authorities to trust'),
  client_certificate_file: text.optional().describe('a PEM file with the certificate to show'),
  client_key_file: text.optional().describe("a PEM file with that certificate's private key"),
  compression: z.enum(COMPRESSIONS).optional().describe('how requests are packed'),
  signals: z
    .array(z.enum(SIGNALS))
    .min(1)
    .refine((list) => new Set(list).size === list.length)
    .meta({ uniqueItems: true })
    .default(['traces'])
    .describe('a list of what is sent, each once'),
  budget: budget.optional().describe('spans_per_second, spans_per_day, or both'),
});
