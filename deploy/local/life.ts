// How a process of the local stack tells its parent that it is ready, and ends: when it is told to,
// or at once when the parent is gone (its end of the channel closes, however the parent died).

/**
 * Says that the process listens on `port`: over the parent's channel, or on stdout when started by hand.
 * From then on SIGTERM (by hand also SIGINT) closes it; `close` is called once.
 */
export function serveUntilStopped(port: number, close: () => Promise<void> | void): void {
  const stop = onlyOnce(async () => {
    await close();
    process.exit(0);
  });
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('disconnect', () => process.exit(1));
  if (process.send) process.send({ port });
  else console.log(`listening on port ${port}`);
}

/** Returns the environment variable, which the parent must have set. */
export function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set`);
  return value;
}

function onlyOnce(act: () => Promise<void>): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    act().catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  };
}
