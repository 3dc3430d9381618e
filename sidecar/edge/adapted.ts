// What Caddy was told, as JSON: `caddy adapt`'s output, or a configuration that was written so. Reads what is
// looked at and keeps the rest as it is; whether Caddy would take it is Caddy's to say.
import { z } from 'zod';
import { routesIn } from './go-keys.ts';

/** One set of matchers, all of which must match: name → its own JSON. */
export type MatcherSet = Readonly<Record<string, unknown>>;

/** A handler: its name, and its own JSON beside it. */
export type Handler = { readonly handler: string; readonly [key: string]: unknown };

/** Any one of `match` will do, and none there matches all. */
export type Route = {
  readonly match?: readonly MatcherSet[] | undefined;
  readonly handle?: readonly Handler[] | undefined;
  /** Whether no later route of the list is looked at when this one matched. */
  readonly terminal?: boolean | undefined;
  /** Of the routes of one group only the first that matches runs. */
  readonly group?: string | undefined;
};

/** Where a server's requests are logged. Caddy 2.11: `ServerLogConfig`. */
export type ServerLogs = {
  readonly default_logger_name?: string | undefined;
  readonly logger_names?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly skip_hosts?: readonly string[] | undefined;
  readonly skip_unmapped_hosts?: boolean | undefined;
  readonly should_log_credentials?: boolean | undefined;
};

export type Server = {
  readonly listen?: readonly string[] | undefined;
  readonly routes?: readonly Route[] | undefined;
  readonly errors?: { readonly routes?: readonly Route[] | undefined } | undefined;
  readonly named_routes?: Readonly<Record<string, Route>> | undefined;
  readonly logs?: ServerLogs | undefined;
  /** Bytes; Caddy's default is 1 MiB. */
  readonly max_header_bytes?: number | undefined;
  readonly [key: string]: unknown;
};

/** One of `logging.logs`. Caddy 2.11: `CustomLog`. */
export type Log = {
  readonly writer?: Readonly<Record<string, unknown>> | undefined;
  readonly encoder?: Readonly<Record<string, unknown>> | undefined;
  readonly level?: string | undefined;
  readonly sampling?: Readonly<Record<string, unknown>> | undefined;
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
};

export type Admin = {
  readonly disabled?: boolean | undefined;
  readonly listen?: string | undefined;
  /** As it is: from where another configuration is loaded in place of this one. */
  readonly config?: unknown;
  /** As it is: who may speak to it from other machines. */
  readonly remote?: unknown;
};

/** Of `http_port` and `https_port`. */
export type Ports = { readonly http: number; readonly https: number };

/** Caddy 2.11's, where nothing else is written. */
export const USUAL_PORTS: Ports = { http: 80, https: 443 };

/** What is looked at. */
export type Adapted = {
  readonly admin: Admin;
  /** Names of all apps: `http`, `tls`, … */
  readonly apps: readonly string[];
  readonly logs: Readonly<Record<string, Log>>;
  readonly servers: Readonly<Record<string, Server>>;
  /** Of which Caddy speaks plain HTTP and TLS by itself. */
  readonly ports: Ports;
};

/** Nested deeper than any Caddyfile: a hand-made configuration must not exhaust the stack. */
const MAX_DEPTH = 200;

const record = z.record(z.string(), z.unknown());
const texts = z.array(z.string());
const absent = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((read) => read ?? undefined);

/** To Go a null in a list is an empty one of its kind: a route that does nothing, matchers that take everything. */
const orEmpty = <T extends z.ZodType>(schema: T) =>
  z.preprocess((written) => (written === null ? {} : written), schema);

const route = z.object({
  match: absent(z.array(orEmpty(record))),
  // Without a name Caddy does not start.
  handle: absent(z.array(z.looseObject({ handler: z.string() }))),
  terminal: absent(z.boolean()),
  group: absent(z.string()),
});

const routes = z.array(orEmpty(route));

const server = z.looseObject({
  listen: absent(texts),
  routes: absent(routes),
  errors: absent(z.object({ routes: absent(routes) })),
  named_routes: absent(z.record(z.string(), route)),
  logs: absent(
    z.object({
      default_logger_name: absent(z.string()),
      logger_names: absent(z.record(z.string(), texts)),
      skip_hosts: absent(texts),
      skip_unmapped_hosts: absent(z.boolean()),
      should_log_credentials: absent(z.boolean()),
    }),
  ),
  max_header_bytes: absent(z.number()),
});

const log = z.object({
  writer: absent(record),
  encoder: absent(record),
  level: absent(z.string()),
  sampling: absent(record),
  include: absent(texts),
  exclude: absent(texts),
});

const adapted = z.object({
  admin: absent(
    z.object({
      disabled: absent(z.boolean()),
      listen: absent(z.string()),
      config: z.unknown().optional(),
      remote: z.unknown().optional(),
    }),
  ),
  logging: absent(z.object({ logs: absent(z.record(z.string(), log)) })),
  apps: absent(
    z.looseObject({
      http: absent(
        z.object({
          servers: absent(z.record(z.string(), server)),
          http_port: absent(z.number()),
          https_port: absent(z.number()),
        }),
      ),
    }),
  ),
});

/** Returns the configuration, or a sentence that says where it is none. Never throws. */
export function readAdapted(text: string): Adapted | { readonly problem: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { problem: `it is no JSON: ${error instanceof Error ? error.message : 'unreadable'}` };
  }
  const whole = wholeProblem(json);
  if (whole !== undefined) return { problem: whole };
  const { data, error } = adapted.safeParse(json);
  const problem = data === undefined ? problemOf('', error) : routesProblem(json);
  if (data === undefined || problem !== undefined) return { problem: problem ?? '' };
  const { servers = {}, http_port: http, https_port: https } = data.apps?.http ?? {};
  return {
    admin: data.admin ?? {},
    apps: Object.keys(data.apps ?? {}),
    logs: data.logging?.logs ?? {},
    servers,
    // To Caddy a 0 is none.
    ports: { http: http || USUAL_PORTS.http, https: https || USUAL_PORTS.https },
  };
}

// A part that is not understood must not be taken for nothing, however deep it stands.
function routesProblem(json: unknown): string | undefined {
  const found = routesIn(json);
  if ('problem' in found) return found.problem;
  for (const { pointer, routes: part } of found.places) {
    const { error } = routes.safeParse(part);
    if (error) return problemOf(pointer, error);
  }
  return undefined;
}

function problemOf(pointer: string, error: z.ZodError | undefined): string {
  const [issue] = error?.issues ?? [];
  const at = [pointer, ...(issue?.path ?? []).map(String)].join('/');
  return `at ${at === '' ? '/' : at}: ${issue?.message ?? 'not understood'}`;
}

// By a stack of its own: what is too deep for this must not be too deep for its measure.
function wholeProblem(json: unknown): string | undefined {
  const open: [unknown, number][] = [[json, 1]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [value, depth] = next;
    if (depth > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH}`;
    if (typeof value !== 'object' || value === null) continue;
    // The schemas would leave it out without a word.
    if (Object.hasOwn(value, '__proto__'))
      return 'a name in it is __proto__, which is not read here';
    for (const inner of Object.values(value)) open.push([inner, depth + 1]);
  }
  return undefined;
}

/**
 * Returns the routes that stand in a part of a handler's own JSON; none where there are none. What Caddy's own
 * handlers hold, `readAdapted` has understood. Never throws.
 */
export function routesAt(part: unknown): readonly Route[] {
  if (typeof part !== 'object' || part === null) return [];
  const known = understood.get(part) ?? routes.safeParse(part).data ?? [];
  understood.set(part, known);
  return known;
}

/** Each list is read once, however many requests are walked through it: nothing changes one. */
const understood = new WeakMap<object, readonly Route[]>();

/** Returns the record that a part of a handler's JSON is; an empty one where it is none. */
export function recordAt(part: unknown): Readonly<Record<string, unknown>> {
  return typeof part === 'object' && part !== null && !Array.isArray(part)
    ? Object.fromEntries(Object.entries(part))
    : {};
}

/** Returns the texts of a list in a handler's JSON, leaving out what is no text. */
export function textsAt(part: unknown): readonly string[] {
  return Array.isArray(part) ? part.filter((item) => typeof item === 'string') : [];
}
