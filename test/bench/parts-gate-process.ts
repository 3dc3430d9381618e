// The process whose CPU is measured: the gate behind its real HTTP surface, on unix sockets in a
// temporary folder. It tells its CPU when it is asked, and ends with its parent.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RequestListener } from 'node:http';
import { Router } from 'express';
import type { Gate } from '../../sidecar/gate.ts';
import { listen } from '../../sidecar/http/listen.ts';
import { createSidecarServer, createSurface } from '../../sidecar/http/server.ts';
import type { Credentials, Door } from './parts-kinds.ts';
import { cpuUs } from './parts-measure.ts';
import { makeGate } from './parts-gate-made.ts';

/** Its first message; every later one is its CPU in microseconds. */
export type GateReady = {
  readonly sockets: Readonly<Record<Door, string>>;
  readonly given: Credentials;
};

const folder = mkdtempSync(join(tmpdir(), 'signet-parts-'));
const made = await makeGate();
const ready: GateReady = {
  sockets: {
    gate: await open('gate', surfaceOf(made.gate)),
    forgetful: await open('forgetful', surfaceOf(made.forgetful)),
    none: await open('none', (_, res) => res.writeHead(204).end()),
  },
  given: made.given,
};
process.on('message', () => process.send?.(cpuUs()));
process.on('disconnect', () => void leave());
process.send?.(ready);

async function leave(): Promise<void> {
  await made.remove();
  rmSync(folder, { recursive: true });
  process.exit();
}

function surfaceOf(gate: Gate): RequestListener {
  const onError = (error: unknown) => console.error(error);
  return createSurface({ gate, signIn: Router(), sharedKey: undefined, onError });
}

async function open(name: Door, surface: RequestListener): Promise<string> {
  const socket = join(folder, `${name}.sock`);
  await listen(createSidecarServer(surface), { socket }, 'SIGNET_SOCKET');
  return socket;
}
