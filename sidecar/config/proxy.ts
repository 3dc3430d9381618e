// The proxies that destinations are reached through, by the variables that everybody has for them.
import { parseProxyUrl, type ProxySettings } from '../otlp/proxy.ts';
import { type Secret, secret } from '../secret.ts';
import { splitList } from './environment.ts';
import type { Reading } from './reading.ts';

/** Returns what they say; undefined if none is given. Reports what is no proxy, without quoting it. */
export function readProxy(reading: Reading): ProxySettings | undefined {
  const https = readUrl('HTTPS_PROXY', reading);
  const http = readUrl('HTTP_PROXY', reading);
  if (https === undefined && http === undefined) return undefined;
  const no = splitList(given('NO_PROXY', reading)?.value ?? '');
  return { ...(https && { https }), ...(http && { http }), no };
}

function readUrl(name: string, reading: Reading): Secret | undefined {
  const found = given(name, reading);
  if (found === undefined) return undefined;
  if (isProxy(found.value)) return secret(found.value);
  const allowed =
    'http://proxy:3128, with user:password@ before the host at will; no path, no query, and no port 0';
  const mend =
    'percent-encode what is special in user and password; neither https:// nor SOCKS is spoken';
  reading.report({ where: found.where, read: 'no URL of a proxy', allowed, mend });
  return undefined;
}

function isProxy(text: string): boolean {
  const url = parseProxyUrl(text);
  if (url === undefined || url.pathname !== '/' || /[?#]/.test(text)) return false;
  return url.port !== '0' && isDecodable(`${url.username}:${url.password}`);
}

// Node's own agent decodes them, and throws where it can't.
function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Returns by which of its two spellings a variable is given. */
export function proxyVariable(name: string, reading: Reading): string {
  return given(name, reading)?.where ?? name;
}

// Lower case first, as curl and Node have it.
function given(name: string, reading: Reading): { value: string; where: string } | undefined {
  for (const where of [name.toLowerCase(), name]) {
    const value = reading.given.get(where);
    if (value !== undefined) return { value, where };
  }
  return undefined;
}
