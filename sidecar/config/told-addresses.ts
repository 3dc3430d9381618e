// The lines of `signet config` about the way to a destination: where each signal goes, whether by TLS, and
// through which proxy.
import { type Signal, urlOf } from '../otlp/destination.ts';
import { openProxyUrl, proxyFor, type ProxySettings } from '../otlp/proxy.ts';
import { otelSetting, VARIABLE } from './destination-entries.ts';
import { isByStandard, signalUrls } from './endpoint-places.ts';
import { byDefault, byVariable, type Origin } from './provenance.ts';
import { proxyVariable } from './proxy.ts';
import type { Reading } from './reading.ts';
import { byProfile, ownOrigin, type ToldDestination } from './told-destination.ts';
import type { Telling, ToldSetting } from './told-setting.ts';

type ToldAddress = { readonly key: string; readonly url: string; readonly origin: Origin };

/** Returns three lines for each address, of which gRPC has one. */
export function tellAddresses(told: ToldDestination, telling: Telling): ToldSetting[] {
  const { prefix } = told;
  const path = `${told.path ?? prefix}.endpoint`;
  return addressesOf(told, telling.reading).flatMap(({ key, url, origin }) => {
    const line = (name: string, value: string, from = origin) =>
      telling.tell({ setting: `${prefix}.${name}${key}`, value, path, origin: from });
    return [
      ...line('endpoint', url),
      ...line('tls', url.startsWith('https:') ? 'on' : 'off'),
      ...tellProxy(url, telling, (value, from) => line('proxy', value, from)),
    ];
  });
}

function addressesOf(told: ToldDestination, reading: Reading): ToldAddress[] {
  const { destination } = told;
  if (destination.protocol === 'grpc') {
    return [{ key: '', url: destination.endpoint, origin: originOfGrpc(told, reading) }];
  }
  return destination.signals.map((signal) => ({
    key: `.${signal}`,
    url: urlOf(destination, signal),
    origin: originOfHttp(told, signal, reading),
  }));
}

function originOfGrpc(told: ToldDestination, reading: Reading): Origin {
  const standard = isByStandard(told.entry) ? otelSetting(reading.given, 'ENDPOINT') : undefined;
  return standard === undefined ? originOfOwn(told, reading) : byVariable(standard.where);
}

function originOfHttp(told: ToldDestination, signal: Signal, reading: Reading): Origin {
  const whole = signalUrls(told.entry, reading).find(([its]) => its === signal);
  if (whole !== undefined) return byVariable(whole[1].where);
  const base = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const isBase = isByStandard(told.entry) && reading.given.has(base);
  return isBase ? byVariable(base) : originOfOwn(told, reading);
}

function originOfOwn(told: ToldDestination, reading: Reading): Origin {
  const isInVariable = told.path === undefined && told.entry.endpoint !== undefined;
  const fallback = isInVariable ? byVariable(VARIABLE) : byProfile(told);
  return ownOrigin(told, 'endpoint', fallback, reading);
}

/** Nothing where no proxy is given. */
function tellProxy(
  url: string,
  { parts: { proxy }, reading }: Telling,
  line: (value: string, from: Origin) => ToldSetting[],
): ToldSetting[] {
  if (proxy === undefined) return [];
  const found = proxyFor(url, proxy);
  // A name and a password stand in front of the host.
  if (found !== undefined) return line(`http://${openProxyUrl(found).host}`, origin(url, reading));
  return line(
    'none',
    isSpared(url, proxy) ? byVariable(proxyVariable('NO_PROXY', reading)) : byDefault(),
  );
}

function origin(url: string, reading: Reading): Origin {
  return byVariable(
    proxyVariable(url.startsWith('https:') ? 'HTTPS_PROXY' : 'HTTP_PROXY', reading),
  );
}

function isSpared(url: string, proxy: ProxySettings): boolean {
  return proxyFor(url, { ...proxy, no: [] }) !== undefined;
}
