// The one schema of signet.yaml. The environment is laid over the file first (environment.ts), so
// both are judged here. What must be there at all, and what goes together, is load.ts's to say.
import { isLoopback } from '../identity/bounded-fetch.ts';
import { z } from 'zod';
import { parseAddress, parseDuration, parseHostPort } from './address.ts';
import { destination } from './schema-destination.ts';
import { assertion, bearers, claims, host, pages, provider } from './schema-identity.ts';
import { providers, session } from './schema-identity.ts';
import { duration, DURATION, HOST_PORT } from './schema-parts.ts';
import { path, sections, text, texts } from './schema-parts.ts';
import { sampling } from './schema-sampling.ts';

// A hundred years. What is far beyond that is no date any more, and no number that a database takes.
const LONGEST = '36500d';
const isKept = (value: string) =>
  (parseDuration(value) ?? Infinity) <= (parseDuration(LONGEST) ?? 0);
/** Judges signet.yaml, with the environment laid over it. Unknown keys are errors. */
export const SETTINGS = z.strictObject({
  ...provider,
  hosts: z
    .array(host)
    .default([])
    .describe('a list of host names, without a scheme, that sign-in may return to'),
  providers,
  bearer: bearers,
  claims: claims.prefault({}).describe('the names of claims'),
  session: session.prefault({}).describe("a session's lifetimes, and where it holds"),
  assertion: assertion.optional().describe('who vouches to the app'),
  pages: pages.prefault({}).describe('what people see'),
  trace: z
    .strictObject({
      trust: z
        .enum(['bearer', 'authenticated', 'always', 'never'])
        .default('bearer')
        .describe("whose traces go on under the caller's id"),
    })
    .prefault({})
    .describe('how traces are made'),
  service: z
    .strictObject({
      name: text.default('caddy').describe('a text: service.name'),
      version: text.optional().describe('a text: service.version'),
      environment: text.default('production').describe('a text: deployment.environment.name'),
      deployment: text.optional().describe('a text: deployment.id'),
    })
    .prefault({})
    .describe('the resource that spans are of'),
  listen: text
    .refine((value) => parseAddress(value) !== undefined)
    .meta({ pattern: `/|${HOST_PORT}`, examples: ['/run/signet/sidecar.sock', '127.0.0.1:9000'] })
    .optional()
    .describe("a unix socket's path, or host:port"),
  gate_key_file: text.optional().describe('a file with the key that Caddy shows over TCP'),
  health: text
    .refine((value) => isLoopback(parseHostPort(value)?.host ?? ''))
    .meta({ pattern: HOST_PORT })
    .default('127.0.0.1:9465')
    .describe('host:port on loopback, as in 127.0.0.1:9465'),
  access_log: path.optional().describe("the path of Caddy's access log"),
  state: path.optional().describe('the path of a folder that Signet may write'),
  keys_file: text.optional().describe('a file with the key ring'),
  audit: z
    .strictObject({
      store_file: text.optional().describe('a file with the PostgreSQL URL of the audit store'),
      heads_file: path.optional().describe('the path of a file that signed heads are added to'),
    })
    .prefault({})
    .describe('where the record is kept'),
  retention: z
    .strictObject({
      rows: text
        .refine((value) => value === 'forever' || isKept(value))
        .meta({
          kind: 'duration',
          pattern: `^(forever|${DURATION})$`,
          examples: ['90d', 'forever'],
        })
        .default('400d')
        .describe(`how long rows are kept: a time such as 400d, at most ${LONGEST}, or forever`),
      undelivered: duration
        .refine(isKept)
        .default('30d')
        .describe(
          `how much longer rows wait for a destination that lacks them: a time such as 30d, at most ${LONGEST}`,
        ),
    })
    .prefault({})
    .describe('how long the record is kept'),
  destinations: sections(destination).optional().describe('a list of places that spans go to'),
  sampling: sampling.prefault({}).describe('which traces are sent'),
  redact_query: texts.default([]).describe('a list of names of query parameters'),
  privacy: z
    .strictObject({
      client_address: z
        .enum(['keep', 'truncate', 'hash'])
        .default('keep')
        .describe("what is kept of a client's address"),
    })
    .prefault({})
    .describe('what is kept about people'),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
        .default('info')
        .describe('how much is logged'),
    })
    .prefault({})
    .describe("Signet's own log"),
});

/** What the schema makes of a file: defaults are in, relations between settings are unchecked. */
export type Settings = z.output<typeof SETTINGS>;

/** One entry under `destinations`. */
export type DestinationSettings = z.output<typeof destination>;

/** One node of the JSON Schema, as far as messages are made from it. */
export type SchemaNode = {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly enum?: readonly string[];
  /** `duration` for spans of time. */
  readonly kind?: string;
};

// It takes milliseconds to make, and is the same each time.
let made: SchemaNode | undefined;

/** Returns signet.yaml's JSON Schema, as what a file may hold: defaults may be left out. */
export function settingsJsonSchema(): SchemaNode {
  made ??= z.toJSONSchema(SETTINGS, { io: 'input' }) as SchemaNode;
  return made;
}
