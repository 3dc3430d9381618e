// The end of the process where Node's own would never come: that waits for all threads, and one of them is in a
// system call that does not return, as on a mount that hangs.

/** The log's last lines may be on their way in yet another thread, which nothing would wait for. */
const LAST_LINES_MS = 200;

/**
 * Has the process end by SIGTERM, once it would end. As the first process of a container it goes on to wait: the
 * kernel gives that one no signal that it does not heed.
 */
export function endBySignal(): void {
  process.removeListener('exit', bySignal);
  process.once('exit', bySignal);
}

function bySignal(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_LINES_MS);
  process.removeAllListeners('SIGTERM');
  process.kill(process.pid, 'SIGTERM');
}
