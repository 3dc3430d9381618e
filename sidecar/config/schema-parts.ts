// What the schemas of signet.yaml are made of more than once.
import { z } from 'zod';
import { parseDuration } from './address.ts';

export const text = z.string().min(1);

/** A path that Signet makes or opens itself: no system call takes a NUL. */
export const path = text.refine((value) => !value.includes('\0'));

export const texts = z.array(text);

// Patterns are for editors, and refuse nothing that holds; what holds the functions say.

/** What a span of time looks like, as a part of a pattern. */
export const DURATION = String.raw`\d+(\.\d+)?(ms|s|m|h|d)`;

/** What an http(s) URL without a query looks like. */
export const PLAIN_URL = String.raw`^[hH][tT][tT][pP][sS]?://[^?#\s\\]+$`;

/** What `host:port` looks like. */
export const HOST_PORT = String.raw`^(\[[0-9a-fA-F:.]+\]|[\w.-]+):\d{1,5}$`;

/** A span of time as a text, such as `30m`. */
export const duration = text
  .refine((value) => parseDuration(value) !== undefined)
  .meta({ kind: 'duration', pattern: `^${DURATION}$`, examples: ['30m', '8h', '7d'] });

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
