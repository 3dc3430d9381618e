// Everything that may leave to a destination, by the message of OTLP that it stands in: the declared lists
// of trace/exported.ts, log-names.ts and metrics/instruments.ts, and the frame that OTLP puts around them.
import { INSTRUMENTS, LABELS } from '../metrics/instruments.ts';
import { EXPORTED_ATTRIBUTES, EXPORTED_FIELDS, PERSONAL_ATTRIBUTES } from '../trace/exported.ts';
import { SCOPE } from '../trace/names.ts';
import type { Signal } from '../otlp/destination.ts';
import { LOG_ATTRIBUTES, LOG_EVENTS, LOG_FIELDS } from '../otlp/log-names.ts';

/** What a name is to whoever reviews: `frame` is OTLP's own, the same around everything. */
export type NameKind =
  'attribute' | 'resource' | 'event' | 'metric' | 'label' | 'field' | 'frame' | 'header';

export type DeclaredName = {
  readonly signal: Signal;
  readonly kind: NameKind;
  /** The message, as decode.ts names it: `span`, `span.attributes`, `resource.attributes` … */
  readonly where: string;
  readonly name: string;
  /** About a person; what the operator adds to the resource is not known, and counts as not. */
  readonly isPersonal: boolean;
};

/** Returns what may leave as a signal; `resource` are the names of the resource's attributes. */
export function declaredNames(signal: Signal, resource: readonly string[]): DeclaredName[] {
  const named = (kind: NameKind, where: string, names: readonly string[]) =>
    names.map((name): DeclaredName => {
      const isPersonal = kind !== 'field' && PERSONAL_ATTRIBUTES.includes(name);
      return { signal, kind, where, name, isPersonal };
    });
  return [
    ...named('resource', 'resource.attributes', resource),
    ...OF_SIGNAL[signal].flatMap(([kind, where, names]) => named(kind, where, names)),
    ...frameOf(signal).flatMap(([where, names]) => named('frame', where, names)),
  ];
}

type Declared = readonly [NameKind, string, readonly string[]];

const METRIC_NAMES = Object.values(INSTRUMENTS).map(({ name }) => name);

const OF_SIGNAL: Readonly<Record<Signal, readonly Declared[]>> = {
  traces: [
    ['attribute', 'span.attributes', EXPORTED_ATTRIBUTES],
    ['field', 'span', Object.values(EXPORTED_FIELDS)],
    ['field', 'link', ['trace_id', 'span_id', 'flags']],
    ['field', 'status', ['code']],
  ],
  logs: [
    ['event', 'log_record.event_name', LOG_EVENTS],
    ['attribute', 'log_record.attributes', [...EXPORTED_ATTRIBUTES, ...LOG_ATTRIBUTES]],
    ['field', 'log_record', LOG_FIELDS],
  ],
  metrics: [
    ['metric', 'metric.name', METRIC_NAMES],
    ['label', 'point.attributes', Object.values(LABELS)],
    ['field', 'metric', ['name', 'description', 'unit', 'gauge', 'sum', 'histogram']],
    ['field', 'point', ['start_time_unix_nano', 'time_unix_nano', 'as_double', 'as_int']],
    ['field', 'point', ['count', 'sum', 'bucket_counts', 'explicit_bounds', 'exemplars']],
    ['field', 'exemplar', ['time_unix_nano', 'as_double', 'span_id', 'trace_id']],
  ],
};

type Framed = readonly [string, readonly string[]];

/** What holds the items of a signal, and the items that have attributes. */
const FRAMES: Readonly<Record<Signal, readonly Framed[]>> = {
  traces: [
    ['scope_spans', ['scope', 'spans']],
    ['span', ['attributes']],
  ],
  logs: [
    ['scope_logs', ['scope', 'log_records']],
    ['log_record', ['attributes']],
  ],
  metrics: [
    ['scope_metrics', ['scope', 'metrics']],
    ['gauge', ['data_points']],
    ['sum', ['data_points', 'aggregation_temporality', 'is_monotonic']],
    ['histogram', ['data_points', 'aggregation_temporality']],
    ['point', ['attributes']],
  ],
};

function frameOf(signal: Signal): readonly Framed[] {
  const [[ofScope]] = FRAMES[signal] as readonly [Framed];
  const ofResource = ofScope.replace('scope', 'resource');
  return [
    ['request', [ofResource]],
    [ofResource, ['resource', ofScope]],
    ['resource', ['attributes']],
    ...FRAMES[signal],
    ['scope', ['name', 'version']],
    ['scope.name', [SCOPE]],
    ['value', ['string_value', 'bool_value', 'int_value', 'double_value', 'array_value']],
    ['array', ['values']],
  ];
}
