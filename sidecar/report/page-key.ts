// The key of a page: the place of a row in the order in which rows are listed. People may read it;
// programs hand it back as it is. Pure.
import type { Row } from '../audit/row.ts';

/** Rows are listed by the start of the request, and by their id where that is the same. */
export type PageKey = { readonly startedAtUs: number; readonly requestId: string };

/** In front of every row: the key of the first page. */
export const START = 'start';

// 16 digits reach to the year 2286, and stay exact as a number.
const KEY = /^(\d{1,15}|[0-8]\d{15})-([!-~]{1,400})$/;

/** Returns the key as text: `1795170914561234-4d032074-7bbc-4e5d-964f-a0f15a34b6f6`. */
export function formatPageKey({ startedAtUs, requestId }: PageKey | Row): string {
  return `${startedAtUs}-${requestId}`;
}

/** Returns the place that a text names, undefined for what is no key. */
export function parsePageKey(text: string): PageKey | undefined {
  if (text === START) return { startedAtUs: 0, requestId: '' };
  const [, us, requestId] = KEY.exec(text) ?? [];
  if (us === undefined || requestId === undefined) return undefined;
  return { startedAtUs: Number(us), requestId };
}
