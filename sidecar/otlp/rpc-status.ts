// A google.rpc.Status where an OTLP response belongs: gateways answer 200 with an error in it. Pure.
import { status } from '@grpc/grpc-js';
import { kindOfGrpc, kindOfHttp } from './answer-kinds.ts';
import { fieldOf } from './read-protobuf.ts';
import type { Failure } from './transport.ts';

export type RpcError = { readonly kind: Failure['kind']; readonly name: string };

/** Returns the error that the body of a 2xx is; undefined when it is none. */
export function rpcErrorIn(contentType: string, body: Buffer): RpcError | undefined {
  // An OTLP response has a message in this field, a status a number.
  const code = contentType.includes('json') ? codeInJson(body) : fieldOf(body, 1);
  if (!isCode(code)) return undefined;
  const name = status[code];
  if (code !== 0 && name !== undefined) return { kind: kindOfGrpc(code), name };
  // Not google's, but as common: HTTP's codes.
  const isHttp = code >= 400 && code < 600;
  return isHttp ? { kind: kindOfHttp(code), name: `code ${code}` } : undefined;
}

function isCode(code: unknown): code is number {
  return typeof code === 'number' && Number.isInteger(code);
}

function codeInJson(body: Buffer): unknown {
  try {
    return (Object(JSON.parse(body.toString())) as { code?: unknown }).code;
  } catch {
    return undefined;
  }
}
