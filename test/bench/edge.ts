// The benchmark through a real Caddy: all variants in turns, and then what is measured at a steady
// pace. Measures and reports; what is to be reached stands in edge-targets.ts.
import { createEvidence, type Evidence } from './edge-evidence.ts';
import { measureLag, measureMemory, type Lag, type Memory } from './edge-lag.ts';
import {
  measureLatency,
  measureOutage,
  type AddedLatency,
  type OutageRound,
} from './edge-latency.ts';
import { describeMachine, type Machine } from './edge-machine.ts';
import { runRounds, type Rounds } from './edge-rounds.ts';
import type { Settings } from './edge-settings.ts';
import { VARIANTS } from './edge-variants.ts';
import { startWorld, type World } from './edge-world.ts';
import type { Say } from './oauth2-proxy.ts';

/** Whatever is not there was not asked for, or is in `skipped` or `faults`. */
export type EdgeReport = Rounds & Steady & { readonly machine: Machine };

type Steady = {
  latency: readonly AddedLatency[];
  outage: readonly OutageRound[];
  lag?: Lag;
  memory?: readonly Memory[];
};

const SHORT = { steadyS: 1, lagS: 2 };
const LONG = { steadyS: 10, lagS: 60 };
const MEMORY_REQUESTS = [100_000, 1_000_000];

/** Runs what is named. A variant that is broken is a fault in the report and not an error. */
export async function runEdge(settings: Settings, say: Say): Promise<EdgeReport> {
  const variants = VARIANTS.filter(({ name }) => settings.names.includes(name));
  const isProxyWanted = variants.some(({ edge }) => edge === 'O');
  const proxyWanted = settings.short ? 'found' : 'built';
  const world = await startWorld({ proxy: isProxyWanted ? proxyWanted : 'none', say });
  const steady: Steady = { latency: [], outage: [] };
  let report: EdgeReport;
  try {
    const machine = await describeMachine('skipped' in world.proxy ? 'none' : world.proxy.version);
    const evidence = await createEvidence(world);
    const found = await runRounds(world, evidence, variants, settings, say);
    report = { machine, ...found, ...steady };
    await runSteady(world, evidence, settings, report, say);
    await evidence.close();
  } finally {
    await world.stop();
  }
  await measured('memory', settings, report, say, async () => {
    report.memory = await measureMemory(MEMORY_REQUESTS, say);
  });
  return report;
}

async function runSteady(
  world: World,
  evidence: Evidence,
  settings: Settings,
  report: EdgeReport,
  say: Say,
): Promise<void> {
  const { rounds } = settings;
  const { steadyS, lagS } = settings.short ? SHORT : LONG;
  const pace = { world, evidence, seconds: steadyS };
  await measured('latency', settings, report, say, async () => {
    report.latency = await inRounds(rounds, (round) => measureLatency(pace, round));
  });
  await measured('lag', settings, report, say, async () => {
    report.lag = await measureLag(world, evidence, lagS);
  });
  await measured('outage', settings, report, say, async () => {
    report.outage = await inRounds(rounds, (round) => measureOutage(pace, round));
  });
}

async function measured(
  name: string,
  { names }: Settings,
  { faults }: EdgeReport,
  say: Say,
  measure: () => Promise<void>,
): Promise<void> {
  if (!names.includes(name)) return;
  say(name);
  await measure().catch((error: unknown) => {
    faults.push({ variant: name, round: 0, what: String(error) });
  });
}

async function inRounds<T>(rounds: number, work: (round: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let round = 0; round < rounds; round++) results.push(await work(round));
  return results;
}
