// What a decision takes, by kind of evidence: the gate alone, and with HTTP around it, in a process of
// its own whose CPU alone counts.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setImmediate } from 'node:timers/promises';
import { makeGate, type MadeGate } from './parts-gate-made.ts';
import type { GateReady } from './parts-gate-process.ts';
import { headersOf, KINDS, requestBytes, type Kind } from './parts-kinds.ts';
import { load } from './parts-load.ts';
import {
  figureOf,
  timed,
  type PartFigure,
  type PartsOptions,
  type Round,
} from './parts-measure.ts';

const PROCESS = fileURLToPath(new URL('./parts-gate-process.ts', import.meta.url));

/** Decisions of one turn of the event loop: what the journal writes at once. */
const TURN = 16;

/** Returns the figures of `/verify` over HTTP on a unix socket. */
export async function measureVerify(options: PartsOptions): Promise<PartFigure[]> {
  const child = fork(PROCESS, [], { execArgv: [] });
  const gone = once(child, 'exit'); // from the start: Ctrl-C ends it together with this process
  try {
    const [ready] = (await once(child, 'message')) as [GateReady];
    const ask = (kind: Kind, requests: number) => askOver(child, ready, kind, requests);
    return await measureKinds('/verify', KINDS, options, ask, 'HTTP on a unix socket included');
  } finally {
    if (child.connected) child.disconnect();
    await gone;
  }
}

/** Asks so many times, and returns what that took. */
type Ask = (kind: Kind, requests: number) => Promise<Round>;

// All kinds in each round: what the machine does besides falls on all alike.
async function measureKinds(
  name: string,
  kinds: readonly Kind[],
  { short }: PartsOptions,
  ask: Ask,
  note?: string,
): Promise<PartFigure[]> {
  const [rounds, requests] = short ? [3, 2000] : [7, 5000];
  for (const kind of kinds) await ask(kind, requests);
  const taken = kinds.map((): Round[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, kind] of kinds.entries()) taken[at]?.push(await ask(kind, requests));
  }
  return kinds.map((kind, at) => figureOf(`${name}: ${kind.name}`, taken[at] ?? [], note));
}

async function askOver(
  child: ChildProcess,
  { given, sockets }: GateReady,
  kind: Kind,
  requests: number,
): Promise<Round> {
  const socket = sockets[kind.door];
  const bytesOf = (number: number) => requestBytes(kind, given, number);
  const beforeUs = await cpuOf(child);
  const statuses = await load({ socket, requests, bytesOf });
  const us = (await cpuOf(child)) - beforeUs;
  if (statuses.get(kind.status) !== requests) throw new Error(`${kind.name}: ${told(statuses)}`);
  return { items: requests, us };
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const [us] = (await once(child, 'message')) as [number];
  return us;
}

function told(statuses: ReadonlyMap<number, number>): string {
  return [...statuses].map(([status, count]) => `${count} times ${status}`).join(', ');
}

/** Returns the figures of the gate's `verify` alone, without HTTP. */
export async function measureGate(options: PartsOptions): Promise<PartFigure[]> {
  const made = await makeGate();
  try {
    const ask = (kind: Kind, requests: number) => askGate(made, kind, requests);
    const kinds = KINDS.filter(({ door }) => door !== 'none');
    return await measureKinds('gate alone', kinds, options, ask);
  } finally {
    await made.remove();
  }
}

async function askGate(made: MadeGate, kind: Kind, requests: number): Promise<Round> {
  const gate = kind.door === 'forgetful' ? made.forgetful : made.gate;
  const wanted = kind.status === 204 ? 'allow' : 'deny';
  const questions = Array.from({ length: requests }, (_, number) =>
    headersOf(kind, made.given, number),
  );
  return timed(requests, async () => {
    for (const [at, headers] of questions.entries()) {
      const verdict = await gate.verify(kind.target, headers);
      if (verdict?.decision !== wanted) throw new Error(`${kind.name}: ${verdict?.reason}`);
      if (at % TURN === 0) await setImmediate();
    }
  });
}
