// Why decisions have no line: the likely cause, in a sentence for whoever runs this. Pure; a guess by
// what is known, the surest first.

/** What is known when decisions are missing. */
export type LossFacts = {
  /** Lost and overdue decisions by route; those of which no route is known are not in it. */
  readonly missing: ReadonlyMap<string, number>;
  /** Rows of the last hour or so with a stamp, by route. */
  readonly recorded: ReadonlyMap<string, number>;
  /** Whether there is a file at the log's path, or there was one. */
  readonly hasLog: boolean;
  readonly isLogDiskFull: boolean;
  /** Since they were decided. */
  readonly isMachineRestarted: boolean;
  /** What the reader of the log says is missing in it. */
  readonly logGap?: string;
};

/** When more than this share of a route's decisions is missing, the log leaves lines out by rule. */
const BY_RULE_SHARE = 0.05;
/** Most routes that are named. */
const MAX_NAMES = 3;

/** Returns the likely cause: one sentence, with what to look at. */
export function likelyCause(facts: LossFacts): string {
  if (facts.isLogDiskFull) {
    return "the disk of Caddy's log is full, so that Caddy could not write its lines";
  }
  if (facts.isMachineRestarted) {
    return 'the machine was restarted: requests that were open, and lines that were not yet on the disk, are gone';
  }
  if (facts.logGap !== undefined) {
    return `log files were removed before they were read to their end (${facts.logGap}): let Caddy keep more of them (\`roll_keep\`)`;
  }
  if (!facts.hasLog) {
    return "there is no log: `log` is off in Caddy's site, or Caddy's SIGNET_ACCESS_LOG is another file than the sidecar's";
  }
  return causeByRoute(facts);
}

function causeByRoute({ missing, recorded }: LossFacts): string {
  if (total(recorded) === 0) {
    return "the log has no line of any decision: `log` is off in Caddy's site, or Caddy's SIGNET_ACCESS_LOG is another file than the sidecar's";
  }
  const silent = [...missing.keys()].filter((route) => !recorded.has(route));
  if (silent.length > 0) {
    return `no line of ${named(silent)} has come, while others have: \`log_skip\`, or a site without \`import signet\``;
  }
  const thinned = [...missing.keys()].filter((route) => isThinned(route, missing, recorded));
  if (thinned.length > 0) {
    return `a part of the lines of ${named(thinned)} is missing: \`sampling\` in Caddy's log, or lines were removed from it`;
  }
  return 'single lines are missing: Caddy was killed while it served these requests, or lines were removed from the log';
}

type ByRoute = ReadonlyMap<string, number>;

function isThinned(route: string, missing: ByRoute, recorded: ByRoute): boolean {
  const lacking = missing.get(route) ?? 0;
  return lacking > BY_RULE_SHARE * (lacking + (recorded.get(route) ?? 0));
}

function named(routes: readonly string[]): string {
  const names = routes
    .toSorted()
    .slice(0, MAX_NAMES)
    .map((route) => `\`${route}\``);
  const rest = routes.length - names.length;
  const list = rest > 0 ? [...names, `${rest} more`] : names;
  const word = routes.length === 1 ? 'route' : 'routes';
  return `${word} ${new Intl.ListFormat('en').format(list)}`;
}

function total(counts: ByRoute): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
