// What `/readyz` said, read with care: it came over the wire, and perhaps from an older or newer Signet.
// Whatever is missing there is left out; what is none of Signet's answers is told apart. Pure.

/** As `/readyz` has it: what else a part knows is in its other fields. */
export type StatusCheck = {
  readonly ok: boolean;
  readonly problem?: string;
  readonly [more: string]: unknown;
};

export const STATUSES = ['ready', 'degraded', 'unready'] as const;

export type StatusAnswer = {
  readonly status: (typeof STATUSES)[number];
  readonly checks: Readonly<Record<string, StatusCheck>>;
  readonly version?: string;
  readonly node?: string;
  readonly boot?: string;
  readonly started_at?: string;
};

const TEXTS = ['version', 'node', 'boot', 'started_at'] as const;
/** A check is an object of fields, of which some are objects: four levels. */
const MOST_LEVELS = 20;

/** Returns the answer, or undefined where this is none of Signet's. */
export function readAnswer(body: string): StatusAnswer | undefined {
  const fields = fieldsOf(parsed(body));
  const { checks, status } = fields ?? {};
  const entries = Object.entries(fieldsOf(checks) ?? {});
  const isOurs = STATUSES.some((each) => each === status) && entries.length > 0;
  if (!isOurs || !entries.every(([, check]) => isCheck(check))) return undefined;
  if (!TEXTS.every((name) => isTextOrAbsent(fields?.[name]))) return undefined;
  // What is deeper could not be printed either.
  return isWithin(fields, MOST_LEVELS) ? (fields as unknown as StatusAnswer) : undefined;
}

/** Returns a field's text; undefined where there is none. */
export function textIn(fields: object | undefined, name: string): string | undefined {
  const value = ownIn(fields, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Returns a field's number; undefined where there is none, or one that counts nothing in this world. */
export function numberIn(fields: object | undefined, name: string): number | undefined {
  const value = ownIn(fields, name);
  const isCount = typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
  return isCount ? value : undefined;
}

/** Returns an ISO time in milliseconds since the epoch; undefined where there is none. */
export function timeIn(fields: object | undefined, name: string): number | undefined {
  const ms = Date.parse(textIn(fields, name) ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

/** Returns the object in a field; undefined where there is none. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isFields = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isFields ? (value as Record<string, unknown>) : undefined;
}

function ownIn(fields: object | undefined, name: string): unknown {
  return fields !== undefined && Object.hasOwn(fields, name)
    ? (Reflect.get(fields, name) as unknown)
    : undefined;
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((each) => isWithin(each, levels - 1));
}

function isCheck(value: unknown): boolean {
  const { ok, problem } = fieldsOf(value) ?? {};
  return typeof ok === 'boolean' && (problem === undefined || typeof problem === 'string');
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
