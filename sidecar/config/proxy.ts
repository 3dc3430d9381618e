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
  if (parseProxyUrl(found.value) !== undefined) return secret(found.value);
  const allowed = 'http://proxy:3128, or https://…, with user:password@ before the host at will';
  const mend = 'percent-encode what is special in user and password; SOCKS is not spoken';
  reading.report({ where: found.where, read: 'no URL of a proxy', allowed, mend });
  return undefined;
}

// Lower case first, as curl and Node have it.
function given(name: string, reading: Reading): { value: string; where: string } | undefined {
  for (const where of [name.toLowerCase(), name]) {
    const value = reading.given.get(where);
    if (value !== undefined) return { value, where };
  }
  return undefined;
}
