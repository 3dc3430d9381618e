// The six processes of the local stack: what is run, and with which environment. Starts nothing.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Program } from './child.ts';
import { AUDIENCE } from './people.ts';
import { ROOT } from './settings.ts';

/** The command. */
export const SIGNET = join(ROOT, 'bin', 'signet.js');

/** What the processes have in common; ports that are not in it are told when they are known. */
export type Plan = {
  readonly folder: string;
  /** `https://localhost:…` */
  readonly app: string;
  readonly httpsPort: number;
  readonly providerPort: number;
  /** The sidecar's settings file. */
  readonly config: string;
  readonly receiverPort: number;
  /** `host:port` of the sidecar's `/readyz` and `/metrics`. */
  readonly health: string;
  /** The sidecar's socket, a plain absolute path. */
  readonly socket: string;
  readonly caddy: string;
  /** The receiver's access token. */
  readonly token: string;
  readonly clientSecret: string;
};

/** Returns the receiver in Lightstep's place. */
export function receiver({ folder, receiverPort, token }: Plan): Program {
  return {
    name: 'receiver',
    run: { module: './receiver.ts' },
    env: {
      RECEIVER_PORT: String(receiverPort),
      RECEIVER_TOKEN: token,
      RECEIVER_SPANS: spansFile(folder),
    },
  };
}

/** Returns the OpenID provider. */
export function provider({ folder, providerPort, app, clientSecret }: Plan): Program {
  return {
    name: 'provider',
    run: { module: './provider.ts' },
    env: {
      PROVIDER_PORT: String(providerPort),
      PROVIDER_APP: app,
      PROVIDER_CLIENT_SECRET: clientSecret,
      PROVIDER_AUTHORITY: authorityFile(folder),
    },
  };
}

/** Returns the sample app's second process. `collector` is the receiver's URL. */
export function inventory(plan: Plan, collector: string): Program {
  return {
    name: 'inventory',
    run: { module: './inventory.ts', preload: './instrument.ts' },
    env: tracing('inventory', collector, plan),
  };
}

/** Returns the sample app. `collector` is the receiver's URL. */
export function orders(plan: Plan, collector: string, inventoryPort: number): Program {
  return {
    name: 'orders',
    run: { module: './orders.ts', preload: './instrument.ts' },
    env: { ...tracing('orders', collector, plan), INVENTORY_PORT: String(inventoryPort) },
  };
}

/** Returns the sidecar. What is the stack's own is in its environment, the rest in the file. */
export function sidecar(plan: Plan, collector: string, issuer: string): Program {
  return {
    name: 'sidecar',
    run: [process.execPath, SIGNET, 'serve'],
    env: {
      SIGNET_CONFIG: plan.config,
      SIGNET_ISSUER: issuer,
      SIGNET_CLIENT_ID: 'signet',
      SIGNET_CLIENT_SECRET: plan.clientSecret,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector,
      SIGNET_AUDIENCE: AUDIENCE,
      SIGNET_SOCKET: plan.socket,
      SIGNET_ACCESS_LOG: accessLog(plan.folder),
      SIGNET_STATE: plan.folder,
      SIGNET_HEALTH: plan.health,
      SIGNET_ENVIRONMENT: 'local',
    },
  };
}

/** Returns Caddy. `ordersPort` is the app's. */
export function caddy(plan: Plan, ordersPort: number): Program {
  const caddyfile = fileURLToPath(new URL('./Caddyfile', import.meta.url));
  return {
    name: 'caddy',
    run: [plan.caddy, 'run', '--adapter', 'caddyfile', '--config', caddyfile],
    env: {
      SIGNET_SOCKET: `unix/${plan.socket}`,
      SIGNET_ACCESS_LOG: accessLog(plan.folder),
      SIGNET_LOCAL_STORAGE: storage(plan.folder),
      SIGNET_LOCAL_PORT: String(plan.httpsPort),
      SIGNET_LOCAL_APP: `127.0.0.1:${ordersPort}`,
    },
  };
}

/** Returns `signet audit` with these arguments, on the store in `folder`, whatever is configured. Its output is ours. */
export function audit(folder: string, ...args: string[]): Program & { run: readonly string[] } {
  const run = [process.execPath, SIGNET, 'audit', '--state', folder, ...args] as const;
  return { name: 'audit', run, env: {} };
}

/** Returns what the receiver wants to hear in each call, as `name=value`. */
export function receiverHeader({ token }: Pick<Plan, 'token'>): string {
  return `lightstep-access-token=${token}`;
}

/** Returns the file that the receiver appends to. */
export function spansFile(folder: string): string {
  return join(folder, 'spans.jsonl');
}

/** Returns the certificate of the authority that made the site's own. */
export function authorityFile(folder: string): string {
  return join(storage(folder), 'pki', 'authorities', 'local', 'root.crt');
}

function accessLog(folder: string): string {
  return join(folder, 'access.log');
}

function storage(folder: string): string {
  return join(folder, 'caddy');
}

function tracing(name: string, endpoint: string, plan: Plan): Record<string, string> {
  return {
    OTEL_SERVICE_NAME: name,
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=local',
    OTEL_NODE_RESOURCE_DETECTORS: 'env',
    OTEL_PROPAGATORS: 'tracecontext,baggage',
    OTEL_TRACES_EXPORTER: 'otlp',
    // Otherwise the SDK looks for a collector of metrics and logs on its own.
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: receiverHeader(plan),
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_BSP_SCHEDULE_DELAY: '500',
  };
}
