// How many items an answer says were rejected, where the number is beyond reason.
import { expect, test } from '@jest/globals';
import {
  createMessage,
  wrapField,
  writeInteger,
  writtenBytes,
} from '../../sidecar/otlp/protobuf.ts';
import { readRejection, responseFromJson } from '../../sidecar/otlp/read-response.ts';

function rejecting(count: number): Buffer {
  const message = createMessage(64);
  writeInteger(message, 1, count);
  wrapField(message, 1, 0);
  return writtenBytes(message);
}

test.each([100, 101, 2 ** 53, 2 ** 60, 2 ** 63 - 1024])(
  '%d of 100 that were sent are all of them',
  (count) => {
    expect(readRejection(rejecting(count), 100)).toEqual({ spans: 100, reason: '' });
    const json = JSON.stringify({ partialSuccess: { rejectedSpans: String(count) } });
    expect(readRejection(responseFromJson(Buffer.from(json)), 100)?.spans).toBe(100);
  },
);

test.each([0, -1, -(2 ** 62)])('%d are none', (count) => {
  expect(readRejection(rejecting(count), 100)).toBeUndefined();
});
