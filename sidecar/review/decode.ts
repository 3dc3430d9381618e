// An OTLP request back from its bytes, as OTLP's JSON (protobuf's JSON mapping, with ids in hex), and the
// names that stand in it. For whoever wants to see what really leaves: it shares nothing with the encoders.
import { KEY_VALUE, REQUESTS, type Field, type FieldType, type Shape } from './decode-shapes.ts';
import { packedVarints, wireFields, type WireField } from './decode-wire.ts';
import type { Signal } from '../otlp/destination.ts';

export type Json = { [name: string]: JsonValue };
type JsonValue = string | number | boolean | Json | JsonValue[];

/** Is told each name, and the message that it stands in: `span` has `trace_id`, `span.attributes` `team`. */
export type See = (where: string, name: string) => void;

/** Returns a request. Throws RangeError for bytes that are none. */
export function decodeRequest(signal: Signal, bytes: Buffer, see: See): Json {
  return decode(bytes, REQUESTS[signal], see);
}

function decode(bytes: Buffer, shape: Shape, see: See): Json {
  const json: Json = {};
  for (const wire of wireFields(bytes)) {
    const field = shape.fields[wire.number];
    // What the specification doesn't know is shown as well: it leaves all the same.
    if (field === undefined) addUnknown(json, shape, wire, see);
    else addKnown(json, shape, field, wire, see);
  }
  return json;
}

function addUnknown(json: Json, { label }: Shape, { number, value }: WireField, see: See): void {
  see(label, `field ${number}`);
  json[`field${number}`] = typeof value === 'bigint' ? String(value) : value.toString('base64');
}

function addKnown(json: Json, shape: Shape, field: Field, { value }: WireField, see: See): void {
  const name = camelCase(field.name);
  const values = valuesOf(field, value, shape, see);
  if (shape !== KEY_VALUE) see(shape.label, field.name);
  if (field.isName) see(`${shape.label}.${field.name}`, textOf(values[0]));
  if (field.isRepeated) append(json, name, values);
  else json[name] = values.at(-1) ?? '';
}

function append(json: Json, name: string, values: readonly JsonValue[]): void {
  const before = json[name];
  if (Array.isArray(before)) before.push(...values);
  else json[name] = [...values];
}

function valuesOf(field: Field, value: WireField['value'], shape: Shape, see: See): JsonValue[] {
  const { type } = field;
  if (typeof type === 'function')
    return [message(value, type(), `${shape.label}.${field.name}`, see)];
  // Numbers that are repeated are packed into one field.
  const isPacked = field.isRepeated && Buffer.isBuffer(value);
  return isPacked ? unpacked(type, value) : [scalar(type, value)];
}

function message(value: WireField['value'], shape: Shape, where: string, see: See): Json {
  if (!Buffer.isBuffer(value)) throw new RangeError(`${where} is no message`);
  const json = decode(value, shape, see);
  if (shape === KEY_VALUE) see(where, textOf(json['key']));
  return json;
}

function unpacked(type: Exclude<FieldType, () => Shape>, bytes: Buffer): JsonValue[] {
  const size = { fixed32: 4, fixed64: 8, sfixed64: 8, double: 8 }[type as string];
  if (size === undefined) return packedVarints(bytes).map((value) => scalar(type, value));
  const count = Math.floor(bytes.length / size);
  return Array.from({ length: count }, (_, at) =>
    scalar(type, bytes.subarray(at * size, (at + 1) * size)),
  );
}

function scalar(type: Exclude<FieldType, () => Shape>, value: WireField['value']): JsonValue {
  if (Buffer.isBuffer(value)) return ofBytes(type, value);
  if (type === 'boolean') return value !== 0n;
  // 64 bits are a text in JSON, which has fewer.
  return type === 'int64' ? String(BigInt.asIntN(64, value)) : Number(value);
}

function ofBytes(type: FieldType, bytes: Buffer): JsonValue {
  switch (type) {
    case 'text':
      return bytes.toString();
    case 'hex':
      return bytes.toString('hex');
    case 'fixed32':
      return bytes.readUInt32LE();
    case 'fixed64':
      return String(bytes.readBigUInt64LE());
    case 'sfixed64':
      return String(bytes.readBigInt64LE());
    case 'double':
      return double(bytes.readDoubleLE());
    default:
      return bytes.toString('base64');
  }
}

// JSON has no infinity; protobuf's mapping spells it.
function double(value: number): JsonValue {
  return Number.isFinite(value) ? value : String(value);
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
