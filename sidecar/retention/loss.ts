// Rows that went without a destination's having them: told for a day, also by a recorder that began anew
// meanwhile. As the note's JSON. Pure.

/** Name of the note. */
export const RETENTION_LOSS = 'retention-loss';

export type Loss = {
  /** In microseconds since the epoch. */
  readonly atUs: number;
  readonly text: string;
};

/** Returns what a note says; undefined for one that says nothing. */
export function parseLoss(note: string | undefined): Loss | undefined {
  try {
    const { atUs, text } = JSON.parse(note ?? '{}') as Partial<Loss>;
    if (!Number.isSafeInteger(atUs) || typeof text !== 'string') return undefined;
    return { atUs: Number(atUs), text };
  } catch {
    return undefined;
  }
}
