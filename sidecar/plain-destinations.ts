// Destinations on their way to the recorder's thread: what crosses must be plain, and a secret is not.
import type { Destination } from './otlp/destination.ts';
import type { ProxySettings } from './otlp/proxy.ts';
import { type Secret, secret } from './secret.ts';

type Headers = Readonly<Record<string, string>>;

/** The same, with its secrets as texts: for one message to our own thread, and nothing else. */
export type PlainDestinations = {
  readonly destinations: readonly (Omit<Destination, 'headers'> & { readonly headers: Headers })[];
  readonly proxy?: {
    readonly https?: string;
    readonly http?: string;
    readonly no: readonly string[];
  };
};

/** Destinations, and the ways to them. */
type Destinations = {
  readonly destinations: readonly Destination[];
  readonly proxy?: ProxySettings;
};

/** Returns what can cross. */
export function toPlain({ destinations, proxy }: Destinations): PlainDestinations {
  return {
    destinations: destinations.map(({ headers, ...rest }) => ({
      ...rest,
      headers: mapValues(headers, (value) => value.reveal()),
    })),
    ...(proxy !== undefined && {
      proxy: { no: proxy.no, ...mapUrls(proxy, (url) => url.reveal()) },
    }),
  };
}

/** Returns what has crossed. */
export function readPlain({ destinations, proxy }: PlainDestinations): Destinations {
  return {
    destinations: destinations.map(({ headers, ...rest }) => ({
      ...rest,
      headers: mapValues(headers, secret),
    })),
    ...(proxy !== undefined && { proxy: { no: proxy.no, ...mapUrls(proxy, secret) } }),
  };
}

function mapValues<A, B>(values: Readonly<Record<string, A>>, by: (value: A) => B) {
  const entries = Object.entries(values).map(([name, value]) => [name, by(value)] as const);
  return Object.fromEntries(entries);
}

function mapUrls<A extends string | Secret, B>(
  { https, http }: { readonly https?: A; readonly http?: A },
  by: (url: A) => B,
): { https?: B; http?: B } {
  return {
    ...(https !== undefined && { https: by(https) }),
    ...(http !== undefined && { http: by(http) }),
  };
}
