// Signet's own pages through the snippets: a body reaches the sidecar as it was sent, and one without an end
// does not go on for ever.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RequestListener } from 'node:http';
import { MAX_LOGOUT_BODY_BYTES } from '../../sidecar/http/back-channel-logout.ts';
import { startSite } from './snippet-site.ts';
import type { Site } from './snippet-site.ts';

/** What the snippet lets through to Signet's own pages. */
const MAX_BODY_BYTES = 256 * 1024;
const BACK_CHANNEL = '/.signet/back-channel-logout';
const FORM = 'Content-Type: application/x-www-form-urlencoded';

let site: Site;
let gotBytes = 0;
beforeAll(async () => {
  site = await startSite({ gate: answerBodies });
});
afterAll(() => site.stop());

/** Answers when the body has ended, by what it was. */
const answerBodies: RequestListener = (request, response) => {
  const parts: Buffer[] = [];
  gotBytes = 0;
  request.on('data', (part: Buffer) => {
    gotBytes += part.length;
    parts.push(part);
  });
  request.on('error', () => undefined);
  request.on('end', () => {
    response.setHeader('Signet-Stamp', 'stamp');
    response.end(Buffer.concat(parts).subarray(0, 100));
  });
};

const post = (lines: string[], body: string) =>
  site.send('POST', BACK_CHANNEL, [FORM, ...lines], body);
const chunked = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

test('a form reaches the sidecar: the logout token of a back-channel logout', async () => {
  const answer = await post(['Content-Length: 18'], 'logout_token=a.b.c');
  expect(answer.status).toBe(200);
  expect(answer.body).toBe('logout_token=a.b.c');
});

test('so does one in chunks', async () => {
  const answer = await post(['Transfer-Encoding: chunked'], chunked('logout_token=in-chunks'));
  expect(answer.body).toContain('logout_token=in-chunks');
});

test('a body of 256 KiB gets through, so that the sidecar itself refuses what it finds too long', async () => {
  const body = 'x'.repeat(MAX_BODY_BYTES);
  expect((await post([`Content-Length: ${body.length}`], body)).status).toBe(200);
  expect(gotBytes).toBe(MAX_BODY_BYTES);
  expect(MAX_BODY_BYTES).toBeGreaterThan(MAX_LOGOUT_BODY_BYTES);
});

test.each([
  ['with its length told', (body: string) => [`Content-Length: ${body.length}`, body] as const],
  ['in chunks', (body: string) => ['Transfer-Encoding: chunked', chunked(body)] as const],
])(
  'of a longer one, %s, no more than that reaches the sidecar, and the client hears 413',
  async (_how, spell) => {
    const [line, body] = spell('x'.repeat(MAX_BODY_BYTES + 1));
    expect((await post([line], body)).status).toBe(413);
    expect(gotBytes).toBeLessThanOrEqual(MAX_BODY_BYTES);
  },
);

test('an app’s own forms are as long as they like', async () => {
  const body = 'x'.repeat(2 * MAX_BODY_BYTES);
  const { status } = await site.send('POST', '/open', [`Content-Length: ${body.length}`], body);
  expect(status).toBe(200);
});
