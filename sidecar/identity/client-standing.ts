// Whether the provider takes us as its client, by what its token endpoint has answered. Asks by itself only
// when an answer leaves that open; what signs people in is in login.ts.
import * as client from 'openid-client';
import { refusesClient, tokenErrorIn, type TokenError } from './token-error.ts';

export type ClientStanding = {
  /** What is wrong with the client; absent while nothing is known to be. */
  problem(): string | undefined;
  /**
   * Told what the token endpoint said to a code, undefined when it gave tokens for it. Never rejects. `config` is
   * called only when it asks.
   */
  noteAnswer(
    error: TokenError | undefined,
    config: () => client.Configuration,
    sent: readonly string[],
  ): Promise<void>;
};

/** Whoever comes with codes of others is not to make us ask as often as he does. */
const ASK_EVERY_MS = 30_000;

/**
 * Returns a standing in which the client is trusted until it is refused. `steadyMs` tells milliseconds of a
 * clock that never jumps.
 */
export function createClientStanding(steadyMs: () => number): ClientStanding {
  let refusedAs: string | undefined;
  let nextMs = -Infinity;

  async function noteAnswer(...[error, config, sent]: Parameters<ClientStanding['noteAnswer']>) {
    if (error === undefined) refusedAs = undefined;
    else if (error.error === 'invalid_client') refusedAs = error.error;
    else if (refusesClient(error)) refusedAs = (await askInTime(config, sent)) ?? refusedAs;
  }

  async function askInTime(config: () => client.Configuration, sent: readonly string[]) {
    if (steadyMs() < nextMs) return undefined;
    nextMs = steadyMs() + ASK_EVERY_MS;
    return askOurselves(config(), sent);
  }

  return {
    noteAnswer,
    problem: () =>
      refusedAs === undefined
        ? undefined
        : `the provider refuses this client: ${refusedAs}; look at client_id and the client's secret`,
  };
}

// Whoever brings a code that another client was given may get `unauthorized_client` for it, or a 401, and must
// not raise an alarm by that. So it is asked with a code of nobody's: only the client is left to be refused.
async function askOurselves(
  config: client.Configuration,
  sent: readonly string[],
): Promise<string | undefined> {
  try {
    const code = client.randomState();
    await client.genericGrantRequest(config, 'authorization_code', { code });
  } catch (error) {
    const told = await tokenErrorIn(error, sent);
    if (told !== undefined && refusesClient(told)) return told.error;
  }
  return undefined;
}
