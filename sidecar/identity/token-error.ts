// What a token endpoint says when it refuses (RFC 6749 section 5.2), fit to be read: bounded, in one line, and
// without what it was sent. Judges nothing of the sign-in.
import { ResponseBodyError, WWWAuthenticateChallengeError } from 'openid-client';

export type TokenError = {
  /** The provider's code, or `status 401` where it has none. */
  readonly error: string;
  readonly description?: string;
  /** By HTTP. */
  readonly status: number;
};

/** Of what a provider says, which is shown on a page and in the log: more is cut. */
export const MAX_ERROR_CHARS = 64;
export const MAX_DESCRIPTION_CHARS = 300;

/** Returns what the token endpoint said by an error of the code exchange; undefined when it said nothing. */
export async function tokenErrorIn(
  error: unknown,
  sent: readonly string[],
): Promise<TokenError | undefined> {
  const answer = await answerIn(error);
  if (answer === undefined) return undefined;
  const { status, said } = answer;
  const code = readable(said['error'], MAX_ERROR_CHARS, sent);
  const description = readable(said['error_description'], MAX_DESCRIPTION_CHARS, sent);
  return { error: code ?? `status ${status}`, ...(description && { description }), status };
}

/** Returns whether it is the client that is refused, and not its code. */
export function refusesClient({ error, status }: TokenError): boolean {
  return error === 'invalid_client' || error === 'unauthorized_client' || status === 401;
}

/** Returns the text without what the provider was sent, should it stand in it. */
export function withoutSent(text: string, sent: readonly string[]): string {
  // As it is, as it stands in a form or URL, and either in base64, where of Basic it is a part.
  const spelled = sent
    .filter((one) => one !== '')
    .flatMap((one) => [one, encodeURIComponent(one)])
    .flatMap((one) => [one, ...inBase64(one)]);
  return spelled.reduce((left, one) => left.replaceAll(one, '[secret]'), text);
}

// At one of three places, by how much stands before it. What its neighbours have a part in is cut off.
function inBase64(one: string): string[] {
  const bytes = Buffer.from(one);
  const whole = [0, 1, 2].map((skipped) => bytes.subarray(skipped));
  return whole
    .map((part) => part.subarray(0, part.length - (part.length % 3)).toString('base64'))
    .filter((text) => text.length >= 8);
}

type Said = Readonly<Record<string, unknown>>;

async function answerIn(error: unknown): Promise<{ status: number; said: Said } | undefined> {
  if (error instanceof ResponseBodyError) return { status: error.status, said: error.cause };
  if (error instanceof WWWAuthenticateChallengeError) {
    // It is thrown before the body is read. What a provider says only in the challenge is as good.
    const inBody = await bodyOf(error.response);
    const inChallenge = error.cause.find(({ parameters }) => parameters['error'] !== undefined);
    return { status: error.status, said: { ...inChallenge?.parameters, ...inBody } };
  }
  return undefined;
}

async function bodyOf(response: Response): Promise<Said> {
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? (body as Said) : {};
  } catch {
    return {};
  }
}

// What was sent goes before the cut: half of a secret would not be found.
function readable(value: unknown, maxChars: number, sent: readonly string[]): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = withoutSent(value, sent)
    .replaceAll(/\p{C}+/gu, ' ')
    .trim();
  if (text === '') return undefined;
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1).toWellFormed()}…`;
}
