// OTLP's messages as tables of their fields (opentelemetry-proto 1.x: common, resource, trace, logs and
// metrics.proto): what a reviewer's reader knows. Made from the specification and not from our encoders, so
// that what these write beyond it is seen.

/** How a field's bytes are meant; `hex` is for ids, as OTLP's JSON has them. */
export type FieldType =
  | 'text'
  | 'hex'
  | 'base64'
  | 'boolean'
  | 'int64'
  | 'uint32'
  | 'enum'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed64'
  | 'double'
  | (() => Shape);

export type Field = {
  /** As the .proto file has it. */
  readonly name: string;
  readonly type: FieldType;
  readonly isRepeated?: true;
  /** The value is a name itself: of a scope, an event, a metric. */
  readonly isName?: true;
};

/** A message: its name here, and its fields by their numbers. */
export type Shape = { readonly label: string; readonly fields: Readonly<Record<number, Field>> };

const one = (name: string, type: FieldType): Field => ({ name, type });
const many = (name: string, type: FieldType): Field => ({ name, type, isRepeated: true });
const naming = (name: string): Field => ({ name, type: 'text', isName: true });

const VALUE: Shape = {
  label: 'value',
  fields: {
    1: one('string_value', 'text'),
    2: one('bool_value', 'boolean'),
    3: one('int_value', 'int64'),
    4: one('double_value', 'double'),
    5: one('array_value', () => ARRAY),
    6: one('kvlist_value', () => LIST),
    7: one('bytes_value', 'base64'),
  },
};

const ARRAY: Shape = { label: 'array', fields: { 1: many('values', () => VALUE) } };

/** A key and its value: the key is a name, of the message that it is in. */
export const KEY_VALUE: Shape = {
  label: 'key_value',
  fields: { 1: one('key', 'text'), 2: one('value', () => VALUE) },
};

const LIST: Shape = { label: 'kvlist', fields: { 1: many('values', () => KEY_VALUE) } };

const attributes = many('attributes', () => KEY_VALUE);
const dropped = one('dropped_attributes_count', 'uint32');

const RESOURCE: Shape = { label: 'resource', fields: { 1: attributes, 2: dropped } };

const SCOPE: Shape = {
  label: 'scope',
  fields: { 1: naming('name'), 2: one('version', 'text'), 3: attributes, 4: dropped },
};

const LINK: Shape = {
  label: 'link',
  fields: {
    1: one('trace_id', 'hex'),
    2: one('span_id', 'hex'),
    3: one('trace_state', 'text'),
    4: attributes,
    5: dropped,
    6: one('flags', 'fixed32'),
  },
};

const SPAN_EVENT: Shape = {
  label: 'span_event',
  fields: { 1: one('time_unix_nano', 'fixed64'), 2: naming('name'), 3: attributes, 4: dropped },
};

const STATUS: Shape = {
  label: 'status',
  fields: { 2: one('message', 'text'), 3: one('code', 'enum') },
};

const SPAN: Shape = {
  label: 'span',
  fields: {
    1: one('trace_id', 'hex'),
    2: one('span_id', 'hex'),
    3: one('trace_state', 'text'),
    4: one('parent_span_id', 'hex'),
    5: one('name', 'text'),
    6: one('kind', 'enum'),
    7: one('start_time_unix_nano', 'fixed64'),
    8: one('end_time_unix_nano', 'fixed64'),
    9: attributes,
    10: dropped,
    11: many('events', () => SPAN_EVENT),
    12: one('dropped_events_count', 'uint32'),
    13: many('links', () => LINK),
    14: one('dropped_links_count', 'uint32'),
    15: one('status', () => STATUS),
    16: one('flags', 'fixed32'),
  },
};

const LOG_RECORD: Shape = {
  label: 'log_record',
  fields: {
    1: one('time_unix_nano', 'fixed64'),
    2: one('severity_number', 'enum'),
    3: one('severity_text', 'text'),
    5: one('body', () => VALUE),
    6: attributes,
    7: dropped,
    8: one('flags', 'fixed32'),
    9: one('trace_id', 'hex'),
    10: one('span_id', 'hex'),
    11: one('observed_time_unix_nano', 'fixed64'),
    12: naming('event_name'),
  },
};

const EXEMPLAR: Shape = {
  label: 'exemplar',
  fields: {
    2: one('time_unix_nano', 'fixed64'),
    3: one('as_double', 'double'),
    4: one('span_id', 'hex'),
    5: one('trace_id', 'hex'),
    6: one('as_int', 'sfixed64'),
    7: many('filtered_attributes', () => KEY_VALUE),
  },
};

const NUMBER_POINT: Shape = {
  label: 'point',
  fields: {
    2: one('start_time_unix_nano', 'fixed64'),
    3: one('time_unix_nano', 'fixed64'),
    4: one('as_double', 'double'),
    5: many('exemplars', () => EXEMPLAR),
    6: one('as_int', 'sfixed64'),
    7: attributes,
    8: one('flags', 'uint32'),
  },
};

const HISTOGRAM_POINT: Shape = {
  label: 'point',
  fields: {
    2: one('start_time_unix_nano', 'fixed64'),
    3: one('time_unix_nano', 'fixed64'),
    4: one('count', 'fixed64'),
    5: one('sum', 'double'),
    6: many('bucket_counts', 'fixed64'),
    7: many('explicit_bounds', 'double'),
    8: many('exemplars', () => EXEMPLAR),
    9: attributes,
    10: one('flags', 'uint32'),
    11: one('min', 'double'),
    12: one('max', 'double'),
  },
};

const temporality = one('aggregation_temporality', 'enum');

const GAUGE: Shape = { label: 'gauge', fields: { 1: many('data_points', () => NUMBER_POINT) } };

const SUM: Shape = {
  label: 'sum',
  fields: {
    1: many('data_points', () => NUMBER_POINT),
    2: temporality,
    3: one('is_monotonic', 'boolean'),
  },
};

const HISTOGRAM: Shape = {
  label: 'histogram',
  fields: { 1: many('data_points', () => HISTOGRAM_POINT), 2: temporality },
};

const METRIC: Shape = {
  label: 'metric',
  fields: {
    1: naming('name'),
    2: one('description', 'text'),
    3: one('unit', 'text'),
    5: one('gauge', () => GAUGE),
    7: one('sum', () => SUM),
    9: one('histogram', () => HISTOGRAM),
    12: many('metadata', () => KEY_VALUE),
  },
};

/** The requests of the three signals: they differ in what they hold. */
export const REQUESTS = {
  traces: request('spans', 'spans', SPAN),
  logs: request('logs', 'log_records', LOG_RECORD),
  metrics: request('metrics', 'metrics', METRIC),
} as const;

function request(signal: string, items: string, item: Shape): Shape {
  const schemaUrl = one('schema_url', 'text');
  const ofScope: Shape = {
    label: `scope_${signal}`,
    fields: { 1: one('scope', () => SCOPE), 2: many(items, () => item), 3: schemaUrl },
  };
  const ofResource: Shape = {
    label: `resource_${signal}`,
    fields: {
      1: one('resource', () => RESOURCE),
      2: many(ofScope.label, () => ofScope),
      3: schemaUrl,
    },
  };
  return { label: 'request', fields: { 1: many(ofResource.label, () => ofResource) } };
}
