// All variants in turns, round by round; a variant that is broken is noted, and the others go on.
import { createHash } from 'node:crypto';
import type { Evidence } from './edge-evidence.ts';
import { createPinning } from './edge-pinning.ts';
import { runVariant, type Fault, type Figure, type RunOptions } from './edge-run.ts';
import type { Settings } from './edge-settings.ts';
import type { Variant } from './edge-variants.ts';
import type { World } from './edge-world.ts';
import type { Say } from './oauth2-proxy.ts';

export type Skipped = { readonly what: string; readonly why: string };

export type Rounds = {
  readonly figures: Figure[];
  readonly skipped: readonly Skipped[];
  readonly faults: Fault[];
};

/** Node compiles what it runs often, which takes it thousands of requests: a round that isn't counted. */
const WARM_UP_ROUND = -1;

/** Runs the wanted variants, but for those that can't run here. */
export async function runRounds(
  world: World,
  evidence: Evidence,
  wanted: readonly Variant[],
  settings: Settings,
  say: Say,
): Promise<Rounds> {
  const pinning = createPinning(world);
  const skipped = wanted.flatMap((variant) => whySkipped(world, pinning, variant));
  const variants = wanted.filter(({ name }) => !skipped.some(({ what }) => what === name));
  const found: Rounds = { figures: [], skipped, faults: [] };
  const { rounds, seconds, broken } = settings;
  for (let round = settings.short ? 0 : WARM_UP_ROUND; round < rounds; round++) {
    await runRound(shuffled(variants, round), found, say, {
      world,
      evidence,
      pinning: 'skipped' in pinning ? undefined : pinning,
      credentials: await world.signIn(),
      seconds,
      round,
      ...(broken !== undefined && { broken }),
    });
  }
  return found;
}

async function runRound(
  variants: readonly Variant[],
  { figures, faults }: Rounds,
  say: Say,
  options: RunOptions,
): Promise<void> {
  const isWarmUp = options.round === WARM_UP_ROUND;
  for (const variant of variants) {
    const result = await runVariant(variant, options);
    const isBroken = 'what' in result;
    if (isBroken) faults.push(result);
    else if (!isWarmUp) figures.push(result);
    const outcome = isBroken ? `BROKEN: ${result.what}` : `${result.perSecond.toFixed(0)}/s`;
    say(`${isWarmUp ? 'warm-up' : `round ${options.round + 1}`}: ${variant.name}: ${outcome}`);
  }
}

function whySkipped(
  { proxy }: World,
  pinning: ReturnType<typeof createPinning>,
  { name, edge, isPinned }: Variant,
): Skipped[] {
  if (edge === 'O' && 'skipped' in proxy) return [{ what: name, why: proxy.skipped }];
  const isHeld = isPinned && 'skipped' in pinning;
  return isHeld ? [{ what: name, why: pinning.skipped }] : [];
}

// In another order each round, the same in every run: none always comes after the same, whose dirty pages
// and heat it would take over.
function shuffled<T>(values: readonly T[], round: number): readonly T[] {
  const order = values.map((value, at) => {
    const key = createHash('sha256').update(`${round} ${at}`).digest('hex');
    return { value, key };
  });
  return order.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ value }) => value);
}
