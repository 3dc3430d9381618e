// How long something may take that can fall silent: bounded in each silence, and in all. Does nothing itself.

export type Bounds = {
  readonly silenceMs: number;
  readonly totalMs: number;
};

export type Patience = {
  /** Aborted once either bound is met. */
  readonly signal: AbortSignal;
  /** A silence begins anew; whose it is, the error will say. */
  readonly waitFor: (whom: string) => void;
};

/** Returns what `act` does; throws an Error that names the bound when one was met. */
export async function withPatience<T>(
  { silenceMs, totalMs }: Bounds,
  act: (patience: Patience) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  let awaited = 'anybody';
  const giveUp = (why: string) => controller.abort(new Error(why));
  const silence = setTimeout(
    () => giveUp(`nothing was heard from ${awaited} for ${silenceMs / 1_000} s`),
    silenceMs,
  );
  const total = setTimeout(() => giveUp(`it took more than ${totalMs / 1_000} s`), totalMs);
  const waitFor = (whom: string) => {
    awaited = whom;
    silence.refresh();
  };
  try {
    return await act({ signal, waitFor });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    clearTimeout(silence);
    clearTimeout(total);
  }
}
