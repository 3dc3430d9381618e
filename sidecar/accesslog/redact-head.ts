// Takes out of the beginning of a line who asked. What is set aside is kept without being understood,
// it may be torn or garbage: so this goes by how the text looks, and rather takes too much.

/** Caddy's fields with a person in them. */
const KEYS = ['stamp', 'user_id', 'remote_ip', 'client_ip'];

// `"stamp":"…"`, with any letter of the key as `\u0073`, its value up to the quote or the cut. Each part
// ends where the next can't begin, so that nothing is gone over twice: linear, whatever the text.
const FIELD = new RegExp(
  `("(?:${KEYS.map(spelled).join('|')})"\\s*:\\s*")(?:[^"\\\\]|\\\\[^])*`,
  'gi',
);

/** A run of the characters of which stamps are made. */
const RUN = /[\w.-]+/g;
/**
 * The shortest run that is taken for a part of a stamp, in characters. With less there is nobody in it:
 * a stamp begins with two ids (100 characters) and ends with the gate's numbers and the seal (150).
 */
const MIN_RUN_CHARS = 100;

const REDACTED = 'REDACTED';

/** Returns a text with `REDACTED` for every stamp, or what may be one, every user and every address. */
export function redactHead(text: string): string {
  return text
    .replace(FIELD, (_field, key: string) => key + REDACTED)
    .replace(RUN, (run) => (run.length < MIN_RUN_CHARS ? run : REDACTED));
}

function spelled(key: string): string {
  return key.replace(/./g, (letter) => `(?:${letter}|\\\\u00${letter.charCodeAt(0).toString(16)})`);
}
