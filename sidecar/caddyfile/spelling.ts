// Whether a text of the adapted JSON is what a word of the Caddyfile became: Caddy gives an upstream a port,
// takes its scheme away, makes several of a range of ports, and writes short placeholders out.
import { writeOut } from './shorthand.ts';

/** Returns a test for the words that `wanted`, as the JSON has it, may come from. */
export function createSpelling(wanted: string): (word: string) => boolean {
  const host = wanted.startsWith('unix/') ? wanted.slice('unix/'.length) : hostOf(wanted);
  const isPlaceholder = wanted.includes('{');
  return (word) => {
    if (word === wanted) return true;
    if (isPlaceholder && word.includes('{') && writeOut(word) === wanted) return true;
    // Looked at closely only where it may be: a whole configuration is looked through.
    return host !== undefined && word.includes(host) && fitsDial(word, wanted);
  };
}

function hostOf(dial: string): string | undefined {
  return /^(.*):\d{1,5}$/s.exec(dial)?.[1];
}

function fitsDial(word: string, dial: string): boolean {
  if (word.startsWith('unix+h2c/')) return word.replace('+h2c', '') === dial;
  const [, scheme, rest] = /^(https?|h2c):\/\/([^/]*)$/.exec(word) ?? [];
  const address = rest ?? word;
  const port = scheme === 'https' ? '443' : '80';
  return address === dial || `${address}:${port}` === dial || fitsRange(address, dial);
}

function fitsRange(address: string, dial: string): boolean {
  const [, host, from, to] = /^([^\s-][^\s]*):(\d{1,5})-(\d{1,5})$/.exec(address) ?? [];
  if (host === undefined || !dial.startsWith(`${host}:`)) return false;
  const port = dial.slice(host.length + 1);
  return /^\d{1,5}$/.test(port) && Number(from) <= Number(port) && Number(port) <= Number(to);
}
