// What is known of backends by name: data, as their vendors document it. How it becomes a destination is
// config's to say.
import type { Protocol, Signal, TokenFile } from './destination.ts';

/** The credential that a backend asks for. */
export type Credential = Pick<TokenFile, 'header' | 'prefix' | 'encoding'> & {
  /** The variable that it is given by, in the vendor's own words; also as `…_FILE`. */
  readonly variable: string;
};

export type Profile = {
  /** The one that is taken unless another is asked for. */
  readonly protocol: Protocol;
  /** For each protocol that it speaks. What stands between `<` and `>` is the customer's to fill in. */
  readonly endpoints: Readonly<Partial<Record<Protocol, string>>>;
  /** HTTP paths behind the endpoint, where they aren't OTLP's own. */
  readonly paths?: Readonly<Partial<Record<Signal, string>>>;
  /** What it takes, as Signet sends it: metrics are cumulative sums. */
  readonly signals: readonly Signal[];
  readonly credential?: Credential;
};

const ALL: readonly Signal[] = ['traces', 'logs', 'metrics'];

/** A Collector's own ports, in plain text (OTLP 1.x, "OTLP/gRPC Default Port"). */
const COLLECTOR = { grpc: 'http://localhost:4317', 'http/protobuf': 'http://localhost:4318' };

function sameForBoth(endpoint: string): Profile['endpoints'] {
  return { grpc: endpoint, 'http/protobuf': endpoint };
}

/** Backends by the names that `profile` and SIGNET_DESTINATION take. */
export const PROFILES: Readonly<Record<string, Profile>> = {
  lightstep: {
    protocol: 'grpc',
    // The EU's is ingest.eu.lightstep.com; a satellite has an address of its own.
    endpoints: sameForBoth('https://ingest.lightstep.com:443'),
    paths: { metrics: '/metrics/otlp/v0.9' },
    signals: ['traces', 'metrics'],
    credential: {
      header: 'lightstep-access-token',
      prefix: '',
      variable: 'LIGHTSTEP_ACCESS_TOKEN',
    },
  },
  honeycomb: {
    protocol: 'grpc',
    // The EU's is api.eu1.honeycomb.io.
    endpoints: sameForBoth('https://api.honeycomb.io:443'),
    signals: ALL,
    credential: { header: 'x-honeycomb-team', prefix: '', variable: 'HONEYCOMB_API_KEY' },
  },
  signoz: {
    protocol: 'grpc',
    // us, eu or in. One that is self-hosted has no key: name it as a collector.
    endpoints: sameForBoth('https://ingest.<region>.signoz.cloud:443'),
    signals: ALL,
    credential: {
      header: 'signoz-ingestion-key',
      prefix: '',
      variable: 'SIGNOZ_INGESTION_KEY',
    },
  },
  jaeger: { protocol: 'grpc', endpoints: COLLECTOR, signals: ['traces'] },
  collector: { protocol: 'grpc', endpoints: COLLECTOR, signals: ALL },
  splunk: {
    protocol: 'grpc',
    endpoints: sameForBoth('https://ingest.<realm>.signalfx.com:443'),
    paths: { traces: '/v2/trace/otlp' },
    // Metrics not by gRPC, logs not at all.
    signals: ['traces'],
    credential: { header: 'x-sf-token', prefix: '', variable: 'SPLUNK_ACCESS_TOKEN' },
  },
  newrelic: {
    // Recommended by New Relic; gRPC is spoken, too.
    protocol: 'http/protobuf',
    // Elsewhere: otlp.eu01.nr-data.net, otlp.jp.nr-data.net, gov-otlp.nr-data.net.
    endpoints: sameForBoth('https://otlp.nr-data.net:443'),
    signals: ALL,
    credential: { header: 'api-key', prefix: '', variable: 'NEW_RELIC_LICENSE_KEY' },
  },
  grafana: {
    protocol: 'http/protobuf',
    endpoints: { 'http/protobuf': 'https://otlp-gateway-<zone>.grafana.net/otlp' },
    signals: ALL,
    credential: {
      header: 'authorization',
      prefix: 'Basic ',
      encoding: 'base64',
      variable: 'GRAFANA_CLOUD_OTLP_TOKEN',
    },
  },
  datadog: {
    protocol: 'http/protobuf',
    // datadoghq.com, datadoghq.eu, us3.datadoghq.com, …
    endpoints: { 'http/protobuf': 'https://otlp.<site>' },
    // Metrics it takes as deltas only.
    signals: ['traces', 'logs'],
    credential: { header: 'dd-api-key', prefix: '', variable: 'DD_API_KEY' },
  },
  dynatrace: {
    protocol: 'http/protobuf',
    endpoints: { 'http/protobuf': 'https://<environment>.live.dynatrace.com/api/v2/otlp' },
    // Metrics it takes as deltas only.
    signals: ['traces', 'logs'],
    credential: { header: 'authorization', prefix: 'Api-Token ', variable: 'DT_API_TOKEN' },
  },
  otlp: { protocol: 'grpc', endpoints: COLLECTOR, signals: ALL },
};
