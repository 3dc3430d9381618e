// Stands between the supervisor and a program that would not notice its death (Caddy, the sidecar):
// starts it, passes SIGTERM on, and ends it when the channel to the supervisor closes.
import { spawn } from 'node:child_process';

/** From SIGTERM to SIGKILL once the supervisor is gone: everything must be over within five seconds. */
const GRACE_MS = 2_500;

const [command, ...args] = process.argv.slice(2);
if (command === undefined) throw new Error('which program?');
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });

child.on('error', (error) => {
  console.error(error.message);
  process.exit(127);
});
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  // By the same, so that the supervisor can say how it ended.
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
process.on('SIGTERM', () => child.kill('SIGTERM'));
process.on('SIGINT', () => {});
process.on('disconnect', () => {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
});
