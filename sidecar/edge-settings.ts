// What the sidecar's own settings say about the edge in front of it, for `signet check`, `explain` and `doctor`. Pure.
import type { EdgeSettings } from './check/rule.ts';
import type { Config, Listen } from './config/config.ts';
import { DEFAULT_CLAIM_NAMES } from './identity/claims.ts';
import type { Voucher } from './explain/caller.ts';

/** Returns what `signet check` holds a Caddyfile against. */
export function edgeSettings(config: Config): EdgeSettings {
  const { accessLog, listen, bearer } = config;
  const vouchers = vouchersOf(config).map(({ name }) => name);
  return {
    accessLog,
    listen: dialOf(listen),
    vouchers: [...new Set(vouchers)],
    hasTokens: bearer.length > 0,
  };
}

// As Caddy dials it.
function dialOf(listen: Listen): string {
  return 'socket' in listen ? `unix/${listen.socket}` : `${listen.host}:${listen.port}`;
}

/** Returns who vouches for callers, and how each one's claims are read. */
export function vouchersOf({ providers, bearer }: Config): Voucher[] {
  return [
    ...providers.map(({ name, issuer, names }) => ({
      ...{ name, issuer, names },
      method: 'session' as const,
    })),
    ...bearer.map(({ name, issuer, names = DEFAULT_CLAIM_NAMES, forPeople }) => ({
      ...{ name, issuer, names, forPeople },
      method: 'bearer' as const,
    })),
  ];
}
