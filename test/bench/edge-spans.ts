// Counting spans in an OTLP export request without decoding them: the receiver shares its cores with
// what is measured, so it looks at the outer fields of protobuf only.

/** A field of wire type 2 (a message, bytes, a text): its number and where its content lies. */
type Field = { readonly number: number; readonly from: number; readonly to: number };

const RESOURCE_SPANS = 1; // ExportTraceServiceRequest.resource_spans
const SCOPE_SPANS = 2; // ResourceSpans.scope_spans
const SPANS = 2; // ScopeSpans.spans

/** Returns how many spans a request carries. Throws on one that is not in OTLP's protobuf. */
export function countSpans(message: Buffer): number {
  let spans = 0;
  for (const resource of fieldsOf(message, 0, message.length, RESOURCE_SPANS)) {
    for (const scope of fieldsOf(message, resource.from, resource.to, SCOPE_SPANS)) {
      for (const _span of fieldsOf(message, scope.from, scope.to, SPANS)) spans += 1;
    }
  }
  return spans;
}

/** Returns the bytes of an attribute with a text as its value, as they stand in a request. */
export function attributeBytes(key: string, value: string): Buffer {
  return Buffer.concat([delimited(1, key), delimited(2, delimited(1, value))]);
}

/** Returns how often these bytes occur. */
export function countBytes(message: Buffer, bytes: Buffer): number {
  let found = 0;
  for (let at = message.indexOf(bytes); at >= 0; at = message.indexOf(bytes, at + bytes.length)) {
    found += 1;
  }
  return found;
}

function* fieldsOf(message: Buffer, from: number, to: number, number: number): Generator<Field> {
  for (let at = from; at < to;) {
    const tag = message[at] ?? 0;
    const isDelimited = (tag & 7) === 2 && tag < 0x80;
    if (!isDelimited) throw new Error(`an unexpected field at byte ${at}: ${tag}`);
    const { value: length, next } = varint(message, at + 1);
    at = next + length;
    if (tag >> 3 === number) yield { number, from: next, to: at };
  }
}

function varint(message: Buffer, from: number): { value: number; next: number } {
  let value = 0;
  for (let at = from, shift = 1; ; at++, shift *= 128) {
    const byte = message[at] ?? 0;
    value += (byte & 0x7f) * shift;
    if (byte < 0x80) return { value, next: at + 1 };
  }
}

// Short contents only: the length in one byte.
function delimited(number: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  if (bytes.length > 127) throw new TypeError(`too long to look for: ${bytes.length} bytes`);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}
