// The supervisor of the local stack: starts its processes in order, each when what it needs is ready,
// and stops them in the opposite order. It shows nothing and drives nothing.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findCaddy } from '../../caddy/find.ts';
import { startChild, type Child, type Program } from './child.ts';
import { cleanEnvironment } from './environment.ts';
import { lockFolder } from './lock.ts';
import { RECEIVER_PORT, receiverHeaders, writeEnvironment, type ConfigFile } from './own-config.ts';
import { claimPort, claimPreferred } from './ports.ts';
import * as programs from './programs.ts';
import { answersOk, speaksTls, until } from './ready.ts';
import { Refusal, type Settings } from './settings.ts';

export type Stack = {
  /** Resolves when everything is ready. Rejects when something ends first, or at `stop`. */
  start(): Promise<Running>;
  /** Stops everything, Caddy first; resolves when nothing of it lives. May be called at any time, twice too. */
  stop(deadlines: StopDeadlines): Promise<void>;
};

export type Running = {
  /** `https://localhost:…` */
  readonly app: string;
  /** `http://localhost:…` */
  readonly issuer: string;
  /** Host and port of `/readyz` and `/metrics`. */
  readonly health: string;
  readonly folder: string;
  /** Resolves when a process has ended by itself, to a sentence that says which and how. */
  readonly ended: Promise<string>;
};

/** How long each may take to end by itself, in milliseconds. */
export type StopDeadlines = {
  /** Answers under way are waited for a second: see the Caddyfile. */
  readonly caddy: number;
  /** It reads the log to its end and delivers what it has. */
  readonly sidecar: number;
  readonly others: number;
};

/** Somebody waits at a terminal: all is over within five seconds. What was not recorded is, next time. */
export const BRISK: StopDeadlines = { caddy: 1_500, sidecar: 2_000, others: 500 };
/** Somebody looks at what was recorded and delivered. */
export const PATIENT: StopDeadlines = { caddy: 15_000, sidecar: 15_000, others: 15_000 };

/** Nobody is stopped before those who still have something for him. */
const STOP_ORDER = [['caddy'], ['sidecar'], ['orders', 'inventory', 'provider'], ['receiver']];
const READY_MS = 30_000;
/** As `signet serve` has it. */
const HEALTH_PORT = 9465;
/** A socket's path is at most 107 bytes long; some room is left for a temporary name beside it. */
const MAX_SOCKET_BYTES = 100;

/** Returns a stack that has not been started. `say` gets a sentence about what takes long. */
export function createStack(
  settings: Settings,
  configFile: ConfigFile,
  say: (sentence: string) => void,
): Stack {
  const { folder } = settings;
  const children: Child[] = [];
  const undo: (() => void)[] = [];
  let stopping: Promise<void> | undefined;

  async function start(): Promise<Running> {
    mkdirSync(join(folder, 'log'), { recursive: true, mode: 0o700 });
    undo.push(lockFolder(folder));
    const plan = await makePlan();

    writeFileSync(receiverHeaders(folder), `${programs.receiverHeader(plan)}\n`, { mode: 0o600 });
    const receiver = launch(programs.receiver(plan));
    const provider = launch(programs.provider(plan));
    const collector = `http://127.0.0.1:${await receiver.listening}`;
    const inventory = launch(programs.inventory(plan, collector));
    const orders = launch(programs.orders(plan, collector, await inventory.listening));
    const issuer = `http://localhost:${await provider.listening}`;
    const program = programs.sidecar(plan, collector, issuer);
    writeEnvironment(folder, { ...program.env, CADDY: plan.caddy });
    const sidecar = launch(program);
    await ready(sidecar, () => answersOk(`http://${plan.health}/readyz`));
    const caddy = launch(programs.caddy(plan, await orders.listening));
    await ready(caddy, () => speaksTls(plan.httpsPort, programs.authorityFile(folder)));

    return { app: plan.app, issuer, folder, health: plan.health, ended: firstToEnd() };
  }

  // At a stop all of them end; that is nobody's failure.
  function firstToEnd(): Promise<string> {
    return new Promise((resolve) => {
      const tell = (how: string) => (stopping === undefined ? resolve(how) : undefined);
      for (const child of children) child.ended.then(tell, tell);
    });
  }

  async function makePlan(): Promise<programs.Plan> {
    const httpsPort = await claimPort(settings.httpsPort, 'SIGNET_LOCAL_PORT');
    const providerPort = await claimPort(settings.providerPort, 'SIGNET_LOCAL_PROVIDER_PORT');
    const { receiverPort, healthPort } = await claimOthers();
    const { path } = await findCaddy({ env: process.env, say });
    return {
      folder,
      config: configFile(folder, receiverPort),
      app: `https://localhost:${httpsPort}`,
      httpsPort,
      providerPort,
      receiverPort,
      health: `127.0.0.1:${healthPort}`,
      socket: placeSocket(),
      caddy: path,
      token: randomBytes(16).toString('hex'),
      clientSecret: randomBytes(16).toString('hex'),
    };
  }

  async function claimOthers() {
    const { receiverPort, healthPort } = settings;
    return {
      receiverPort: await (receiverPort === undefined
        ? claimPreferred(RECEIVER_PORT)
        : claimPort(receiverPort, 'SIGNET_LOCAL_RECEIVER_PORT')),
      healthPort: await (healthPort === undefined
        ? claimPreferred(HEALTH_PORT)
        : claimPort(healthPort, 'SIGNET_LOCAL_HEALTH_PORT')),
    };
  }

  function placeSocket(): string {
    const socket = join(folder, 'sidecar.sock');
    if (Buffer.byteLength(socket) <= MAX_SOCKET_BYTES) return socket;
    const short = join(mkdtempSync(join(tmpdir(), 'signet-local-')), 'sidecar.sock');
    undo.push(() => rmSync(dirname(short), { recursive: true, force: true }));
    return short;
  }

  function launch(program: Program): Child {
    if (stopping) throw new Error('stopped while starting');
    const env = cleanEnvironment(process.env, program.env);
    const logFile = join(folder, 'log', `${program.name}.log`);
    const child = startChild({ ...program, env, logFile });
    children.push(child);
    return child;
  }

  async function stopAll(deadlines: StopDeadlines): Promise<void> {
    for (const names of STOP_ORDER) {
      const next = children.filter(({ name }) => names.includes(name));
      const limit = (name: string) =>
        name === 'caddy' || name === 'sidecar' ? deadlines[name] : deadlines.others;
      await Promise.all(next.map((child) => child.stop(limit(child.name))));
    }
    for (const act of undo.toReversed()) act();
  }

  return { start, stop: (deadlines) => (stopping ??= stopAll(deadlines)) };
}

// Ready, or ended before: whichever comes first.
async function ready(child: Child, condition: () => Promise<boolean>): Promise<void> {
  const ended = child.ended.then((how): never => {
    throw new Refusal(how);
  });
  await Promise.race([until(`${child.name} was not ready`, condition, READY_MS), ended]);
}
