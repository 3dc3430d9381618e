// What the schemas of signet.yaml are made of more than once.
import { z } from 'zod';
import { parseDuration } from './address.ts';

export const text = z.string().min(1);

export const texts = z.array(text);

/** A span of time as a text, such as `30m`. */
export const duration = text
  .refine((value) => parseDuration(value) !== undefined)
  .meta({ kind: 'duration' });

/** A list of sections. One that is refused leaves a hole, so that the others keep their index in messages. */
export function sections<T extends z.ZodType>(section: T) {
  return z.array(section.optional());
}

/** How many of something. */
export const count = z.int().positive();

/** For what a section must hold: one mistake in it is not to be told as two. */
export const UNLESS_WRONG = {
  when: ({ issues }: z.core.ParsePayload) => issues.length === 0,
};
