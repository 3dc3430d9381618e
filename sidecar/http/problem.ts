// Refusals for programs: RFC 9457 problem details.
import type { ServerResponse } from 'node:http';

/** What a program is told: a status, a title, a sentence, and the id to quote. */
export type Problem = {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly requestId?: string;
};

/** Sends `application/problem+json`; the request id is a member of its own (section 3.2). */
export function sendProblem(
  res: ServerResponse,
  { status, title, detail, requestId }: Problem,
): void {
  const body = JSON.stringify({
    title,
    status,
    detail,
    ...(requestId !== undefined && { request_id: requestId }),
  });
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/problem+json');
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('Content-Length', Buffer.byteLength(body));
  res.end(body);
}
