// How the sidecar stands by its own word, and whether it is of the version of this command. Pure.
import { type Line, notLookedAt, quoted, warning, well, wrong } from './line.ts';

/** What `/readyz` said, as far as it is told here. */
export type Readiness = {
  readonly status: 'ready' | 'degraded' | 'unready';
  readonly version?: string;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly problem?: string }>>;
};

/** More troubles than these `signet status` tells. */
const MAX_TOLD = 3;
const MEND = '`signet status` tells each part, and what mends it';

/** Returns the lines about a sidecar that was asked at this address. */
export function judgeHealth(
  address: string,
  answer: Readiness | { readonly problem: string },
  version: string,
): Line[] {
  if ('problem' in answer) {
    const seen = `asked at ${address}: ${answer.problem}`;
    const mend = 'does `signet serve` run on this machine? SIGNET_HEALTH, or `health`, says where';
    return [
      wrong('readiness', seen, mend),
      notLookedAt('versions', 'which one runs only /readyz says'),
    ];
  }
  return [judgeReadiness(address, answer), judgeVersion(answer.version, version)];
}

function judgeReadiness(address: string, { status, checks }: Readiness): Line {
  const troubles = Object.entries(checks).filter(([, { ok }]) => !ok);
  const first = troubles.slice(0, MAX_TOLD).map(([name, { problem = 'is not well' }]) => {
    return `${quoted(name)}: ${quoted(problem)}`;
  });
  const more = troubles.length > MAX_TOLD ? [`and ${troubles.length - MAX_TOLD} more`] : [];
  const seen = [`${status}, asked at ${address}`, ...first, ...more].join('; ');
  if (status === 'ready') return well('readiness', seen);
  return status === 'degraded' ? warning('readiness', seen, MEND) : wrong('readiness', seen, MEND);
}

function judgeVersion(runs: string | undefined, version: string): Line {
  if (runs === version) return well('versions', `sidecar and command are both ${version}`);
  const seen = `the sidecar is ${quoted(runs ?? 'of an unknown version')}, this command ${version}`;
  return warning(
    'versions',
    seen,
    'start the sidecar again after an upgrade, or use its own command',
  );
}
