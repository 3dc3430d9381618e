// What a status means for a request, by OTLP's tables (1.x, "Failures") and what those leave to us. A status
// that is in none doesn't say who is at fault: `unclear`.
import { status } from '@grpc/grpc-js';
import type { Failure } from './transport.ts';

const OF_GRPC: Readonly<Record<number, Failure['kind']>> = {
  [status.CANCELLED]: 'retry',
  [status.DEADLINE_EXCEEDED]: 'retry',
  [status.ABORTED]: 'retry',
  [status.OUT_OF_RANGE]: 'retry',
  [status.UNAVAILABLE]: 'retry',
  [status.DATA_LOSS]: 'retry',
  [status.INVALID_ARGUMENT]: 'refused',
  [status.UNAUTHENTICATED]: 'unauthorized',
  [status.PERMISSION_DENIED]: 'unauthorized',
  // What grpc-js makes of HTTP's 404, and what a service that isn't there says.
  [status.UNIMPLEMENTED]: 'misdirected',
  [status.NOT_FOUND]: 'misdirected',
};

const OF_HTTP: Readonly<Record<number, Failure['kind']>> = {
  101: 'misdirected',
  400: 'refused',
  413: 'refused',
  422: 'refused',
  401: 'unauthorized',
  403: 'unauthorized',
  407: 'unauthorized',
  404: 'misdirected',
  405: 'misdirected',
  415: 'misdirected',
  429: 'retry',
  502: 'retry',
  503: 'retry',
  504: 'retry',
};

export function kindOfGrpc(code: number): Failure['kind'] {
  return OF_GRPC[code] ?? 'unclear';
}

export function kindOfHttp(code: number): Failure['kind'] {
  const isRedirection = code >= 300 && code < 400;
  return isRedirection ? 'misdirected' : (OF_HTTP[code] ?? 'unclear');
}
