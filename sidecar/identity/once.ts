// What counts once: remembered for as long as it could come again, in a map that outlives whoever asks.

/** Beyond it the oldest go; all that is remembered was sealed here, or signed by a provider. */
export const MAX_REMEMBERED = 10_000;

export type Once = {
  /** Whether it came before, and could still come again. */
  has(name: string): boolean;
  /** Remembers it until then, in milliseconds since the epoch. */
  add(name: string, untilMs: number): void;
  forget(name: string): void;
};

/** Returns what remembers in this map: name → until when. */
export function createOnce(untilMs: Map<string, number>, now: () => number): Once {
  function add(name: string, atMs: number): void {
    // Anew, so that the first of the map is the oldest.
    untilMs.delete(name);
    const oldest = untilMs.entries().next().value;
    const isPast = oldest !== undefined && oldest[1] < now();
    if (oldest && (isPast || untilMs.size >= MAX_REMEMBERED)) untilMs.delete(oldest[0]);
    untilMs.set(name, atMs);
  }

  return {
    has: (name) => now() < (untilMs.get(name) ?? -Infinity),
    add,
    forget: (name) => void untilMs.delete(name),
  };
}
