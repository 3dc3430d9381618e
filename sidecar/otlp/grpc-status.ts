// What a gRPC status means for a request, as OTLP has it (1.x, "OTLP/gRPC Response", "Failures").
import { status } from '@grpc/grpc-js';
import { quote } from './quote.ts';
import { readRetryDelay } from './retry-after.ts';
import type { Failure } from './transport.ts';

/** By OTLP's table, and what it leaves to us; all others don't say who is at fault. */
const KINDS: Readonly<Record<number, Failure['kind']>> = {
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

/** Returns what a status other than OK means; `statusDetails` is `grpc-status-details-bin`. */
export function answerOfStatus(code: number, details: string, statusDetails?: Buffer): Failure {
  const problem = `answered ${status[code] ?? `status ${code}`}: ${quote(details)}`;
  const afterMs = statusDetails && readRetryDelay(statusDetails);
  const kind = KINDS[code] ?? 'unclear';
  // Exhausted may be a quota or a request that is too long, unless it says when to come back.
  const isBusy = code === status.RESOURCE_EXHAUSTED && afterMs !== undefined;
  if (kind !== 'retry' && !isBusy) return { kind, problem };
  return { kind: 'retry', problem, ...(afterMs !== undefined && { afterMs }) };
}
