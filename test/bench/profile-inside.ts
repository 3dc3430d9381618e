// Loaded into the sidecar in front of everything else (`--import`): takes a CPU profile of the main
// thread and of the recorder's between two SIGUSR2, by the inspector. `--cpu-prof` doesn't reach the
// recorder, which is started without an environment, and has the start-up in it.
import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';

const INTERVAL_US = 500;

const folder = process.env['PROFILE_FOLDER'] ?? '.';
const session = new Session();
let recorder: string | undefined;
let lastId = 0;
let isRunning = false;

session.connect();
session.on('NodeWorker.attachedToWorker', ({ params }) => (recorder = params.sessionId));
session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
  const { result } = JSON.parse(params.message) as { result?: { profile?: unknown } };
  if (result?.profile !== undefined) save('recorder', result.profile);
});
await session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
process.on('SIGUSR2', () => void (isRunning ? stop() : start()));
// For whoever sends the signals.
writeFileSync('pid', String(process.pid));

async function start(): Promise<void> {
  isRunning = true;
  const interval = { interval: INTERVAL_US };
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', interval);
  await tellRecorder('Profiler.enable');
  await tellRecorder('Profiler.setSamplingInterval', interval);
  await tellRecorder('Profiler.start');
  await session.post('Profiler.start');
}

async function stop(): Promise<void> {
  isRunning = false;
  await tellRecorder('Profiler.stop');
  const { profile } = await session.post('Profiler.stop');
  save('gate', profile);
}

async function tellRecorder(method: string, params: object = {}): Promise<void> {
  if (recorder === undefined) throw new Error('the recorder has not started');
  lastId += 1;
  const message = JSON.stringify({ id: lastId, method, params });
  await session.post('NodeWorker.sendMessageToWorker', { sessionId: recorder, message });
}

// Under its name only when it is whole: that is what is waited for.
function save(thread: string, profile: unknown): void {
  const file = join(folder, `${thread}.cpuprofile`);
  writeFileSync(`${file}.new`, JSON.stringify(profile));
  renameSync(`${file}.new`, file);
}
