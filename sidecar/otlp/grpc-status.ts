// What a gRPC status means for a request, as OTLP has it (1.x, "OTLP/gRPC Response", "Failures"), and what
// lies under those that grpc-js (1.14) makes itself of an answer that is none of gRPC's.
import { status } from '@grpc/grpc-js';
import { kindOfGrpc, kindOfHttp } from './answer-kinds.ts';
import { quote } from './quote.ts';
import { readRetryDelay } from './retry-after.ts';
import type { Failure } from './transport.ts';

/** Its words for HTTP's own status, where gRPC's is missing. */
const HTTP_STATUS = /^Received HTTP status code (\d{3})$/;
/** Its words for a length that is none: `<htm` of a page, read as a message's head, says 1752460652 bytes. */
const NO_MESSAGE = /^Received message larger than max /;

/** Returns what a status other than OK means; `statusDetails` is `grpc-status-details-bin`. */
export function answerOfStatus(code: number, details: unknown, statusDetails?: Buffer): Failure {
  const words = quote(details);
  const http = Number(HTTP_STATUS.exec(words)?.[1] ?? Number.NaN);
  if (!Number.isNaN(http)) return answerOfOther(http);
  if (code === status.RESOURCE_EXHAUSTED && NO_MESSAGE.test(words)) {
    return {
      kind: 'misdirected',
      problem: 'answered with what is no gRPC: it is no OTLP receiver',
    };
  }
  // Of an encoding that it doesn't know, grpc-js says nothing at all.
  if (!Number.isInteger(code)) return { kind: 'unclear', problem: 'its answer can’t be read' };
  const problem = `answered ${status[code] ?? `status ${code}`}: ${words}`;
  const afterMs = statusDetails && readRetryDelay(statusDetails);
  const kind = kindOfGrpc(code);
  // Exhausted may be a quota or a request that is too long, unless it says when to come back.
  const isBusy = code === status.RESOURCE_EXHAUSTED && afterMs !== undefined;
  if (kind !== 'retry' && !isBusy) return { kind, problem };
  return { kind: 'retry', problem, ...(afterMs !== undefined && { afterMs }) };
}

// By something in between. Only a receiver knows what is wrong with a request; all but its length.
function answerOfOther(http: number): Failure {
  const problem = `answered ${http} by HTTP, not by gRPC`;
  const isOfRequest = http === 400 || http === 422;
  return { kind: isOfRequest ? 'misdirected' : kindOfHttp(http), problem };
}
