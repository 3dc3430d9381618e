// What a destination quotes of the credentials that it was sent is not repeated to people. Pure.
import type { CallHeaders } from './credentials.ts';

/** Returns the text without what must not be repeated. Before the text is cut: half a token is one. */
export type Hide = (text: string) => string;

/** Shorter words, such as `Basic`, tell nothing. */
const SHORTEST_SECRET_CHARS = 6;

/**
 * Returns what hides these headers' values: whole and word by word, also as they are in base64 (a token for
 * Basic is known to its owner by what is inside), in a URL and in JSON.
 */
export function hideCredentials(headers: CallHeaders): Hide {
  return (text) =>
    text === '' ? text : spellingsOf(headers).reduce((left, one) => replaced(left, one), text);
}

const replaced = (text: string, spelling: string) => text.replaceAll(spelling, '[secret]');

// Longest first: a word within another would leave the rest of it.
function spellingsOf(headers: CallHeaders): string[] {
  const sent = Object.values(headers).flatMap((value) => [value, ...wordsOf(value)]);
  const inside = sent.flatMap(decoded).flatMap((value) => [value, ...wordsOf(value)]);
  const telling = [...sent, ...inside].filter(({ length }) => length >= SHORTEST_SECRET_CHARS);
  const all = new Set(telling.flatMap(spelled));
  return [...all].toSorted((a, b) => b.length - a.length);
}

function wordsOf(value: string): string[] {
  return value.split(/[\s:=,;]+/);
}

// From base64, if it can be that: what is inside is text again.
function decoded(word: string): string[] {
  if (!/^[\w+/-]+={0,2}$/.test(word)) return [];
  const text = Buffer.from(word, 'base64').toString('latin1');
  return /^[ -~]+$/.test(text) ? [text] : [];
}

function spelled(word: string): string[] {
  const inUrl = encodeURIComponent(word);
  const lower = inUrl.replaceAll(/%../g, (byte) => byte.toLowerCase());
  const inBase64 = Buffer.from(word).toString('base64').replace(/=+$/, '');
  const inJson = JSON.stringify(word).slice(1, -1);
  const slashed = inJson.replaceAll('/', '\\/');
  const ofUrl = Buffer.from(word).toString('base64url');
  return [word, inUrl, lower, inBase64, ofUrl, inJson, slashed];
}
