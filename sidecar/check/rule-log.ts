// The record begins with Caddy's log: whether each request of a site gets a line, and whether the recorder can read it.
import { type Adapted, type Log, textsAt } from '../edge/adapted.ts';
import { asksForHeader, isOnlyFor2xx } from '../edge/gate-handler.ts';
import { partsOf } from '../edge/partition.ts';
import { knownOf } from '../edge/state.ts';
import type { Visit } from '../edge/walk.ts';
import type { Code } from './codes.ts';
import type { Found } from './finding.ts';
import { ofFormat } from './log-format.ts';
import { unloggedBecause } from './logged-hosts.ts';
import { fileOf, logsOf, logsOfLogger, type NamedLog, SIGNET_LOG, signetLog } from './logs-of.ts';
import { type Edge, foundAt, foundIn, type Rule, type Site } from './rule.ts';
import { serverPointer } from '../edge/pointer.ts';

/** Returns what is wrong with the log, of each site and of each log once. */
export const findLogs: Rule = (edge) => {
  const sites = edge.sites.filter(({ isSignets, lacksSignet }) => isSignets && !lacksSignet);
  const read = new Map<string, NamedLog>();
  const found = sites.flatMap((site) => {
    const { log, problems } = logOf(site, edge);
    if (log) read.set(log.name, log);
    return [...problems, ...skipped(site, edge, log), ...ofServer(site, edge), ...ofFields(site)];
  });
  return [...found, ...[...read.values()].flatMap((log) => ofLog(log, edge))];
};

function logOf(site: Site, { adapted, settings }: Edge): { log?: NamedLog; problems: Found[] } {
  const { logs } = adapted.servers[site.server] ?? {};
  const taking = logs === undefined ? [] : logsOf(adapted, logs, site.hosts);
  const log = signetLog(taking, settings.accessLog);
  if (log) return { log, problems: [] };
  const seen = `no log takes the requests of ${site.hosts.join(', ') || 'this site'}`;
  return { problems: [foundIn('log-missing', serverPointer(site.server), site.hosts, seen)] };
}

function ofServer({ server, hosts }: Site, { adapted }: Edge): Found[] {
  if (adapted.servers[server]?.logs?.should_log_credentials !== true) return [];
  return [
    foundIn('log-credentials', `${serverPointer(server)}/logs`, hosts, 'log_credentials is set'),
  ];
}

function skipped(site: Site, { adapted }: Edge, log: NamedLog | undefined): Found[] {
  const { logs = {}, routes = [] } = adapted.servers[site.server] ?? {};
  const found: Found[] = site.visits
    .filter(({ handler }) => handler.handler === 'vars' && handler['log_skip'] === true)
    .map((visit) => foundAt('log-skipped', visit, 'log_skip'));
  const moved = site.visits.filter(({ handler }) => namesOtherLogger(handler, adapted, log));
  found.push(...moved.map((visit) => foundAt('log-skipped', visit, 'log_name leads elsewhere')));
  const others = partsOf(routes)
    .flatMap(({ hosts }) => hosts)
    .filter((host) => !site.hosts.includes(host));
  const because = unloggedBecause(logs, site.hosts, others);
  if (because !== undefined) {
    const pointer = `${serverPointer(site.server)}/logs`;
    found.push(foundIn('log-skipped', pointer, site.hosts, because));
  }
  return found;
}

function namesOtherLogger(
  { handler, access_logger_names: names }: Visit['handler'],
  adapted: Adapted,
  log: NamedLog | undefined,
): boolean {
  if (handler !== 'vars' || names === undefined) return false;
  const taking = textsAt([names].flat()).flatMap((name) => logsOfLogger(adapted, name));
  return !taking.some(({ name }) => name === SIGNET_LOG || name === log?.name);
}

// Of a gate both the yes and the no.
function ofFields(site: Site): Found[] {
  return [...appendedTwice(site), ...unstamped(site)];
}

/** What a row is made of: a line with one of these twice is set aside. */
const APPENDED = /^(uuid|route|unprotected|stamp|proxied_ms|upstream\w*|retries)$/;

function appendedTwice({ visits }: Site): Found[] {
  // Of two gates that has to be said, and no more.
  if (visits.some(({ gate, known }) => gate && known.perhaps.includes('gate'))) return [];
  const told = new Set<string>();
  return visits.flatMap((visit) => {
    const { handler, key } = visit.handler;
    if (handler !== 'log_append' || typeof key !== 'string' || !APPENDED.test(key)) return [];
    const { perhaps } = visit.known;
    // Caddy itself writes this one.
    const isThere =
      key === 'uuid' || perhaps.includes(`log:${key}`) || perhaps.includes(`late:${key}`);
    // Where a site's own line does it, each block behind it has the second.
    if (!isThere || told.has(key)) return [];
    told.add(key);
    return [foundAt('log-fields', visit, `${key} is appended to one line twice`)];
  });
}

function unstamped({ visits }: Site): Found[] {
  const gates = visits.filter(
    (visit) => visit.mode === 'request' && visit.gate && stopsRefused(visit),
  );
  return gates.flatMap((gate) => {
    const missing = [
      ...(isStampedYes(gate, visits) ? [] : ['what is let in']),
      ...(isStampedNo(gate, visits) ? [] : ['what is refused']),
    ];
    if (missing.length === 0) return [];
    return [
      foundAt(
        'log-fields',
        gate,
        `no stamp is appended, early, to the line of ${missing.join(' and ')}`,
      ),
    ];
  });
}

// Else that is what has to be said.
function stopsRefused({ answers }: Visit): boolean {
  return answers.every(({ match, exit }) => !exit || isOnlyFor2xx(match));
}

const STAMP = 'log:stamp';

// In the answer, or anywhere behind it before something serves.
function isStampedYes(gate: Visit, visits: readonly Visit[]): boolean {
  const exits = gate.answers.flatMap(({ exit }) => (exit ? [exit] : []));
  if (exits.length === 0 || exits.every((exit) => knownOf(exit, gate.given).sure.includes(STAMP)))
    return true;
  const block = gate.pointer.slice(0, gate.pointer.lastIndexOf('/routes/'));
  return visits.some(
    ({ pointer, inGateAnswer, handler }) =>
      pointer.startsWith(block) && !inGateAnswer && appendsStamp(handler),
  );
}

function appendsStamp(handler: Visit['handler']): boolean {
  const { handler: name, key, early } = handler;
  return name === 'log_append' && key === 'stamp' && early === true;
}

// One without `Signet-Problem`, which says that there was nothing to stamp.
function isStampedNo({ pointer, answers }: Visit, visits: readonly Visit[]): boolean {
  return answers.some(({ match, exit }, index) => {
    if (exit || asksForHeader(match, 'signet-problem')) return false;
    const inside = `${pointer}/handle_response/${index}/`;
    return visits.some((visit) => visit.pointer.startsWith(inside) && appendsStamp(visit.handler));
  });
}

function ofLog({ name, log }: NamedLog, { settings: { accessLog }, namedTwice }: Edge): Found[] {
  const pointer = `/logging/logs/${name}`;
  const tell = (code: Code, seen: string) => foundIn(code, pointer, [], `log ${name}: ${seen}`);
  const file = fileOf(log);
  if (namedTwice.includes(name)) {
    return [tell('log-replaced', 'it is defined twice, and Caddy takes the last')];
  }
  const isElsewhere = accessLog !== undefined && file !== undefined && file !== accessLog;
  return [
    ...(file === undefined ? [tell('log-output', `its output is ${outputOf(log)}`)] : []),
    ...(isElsewhere
      ? [tell('log-output', `it is written to ${file}, and read is ${accessLog}`)]
      : []),
    ...(isToldAll(log) ? [] : [tell('log-level', `its level is ${log.level}`)]),
    ...(log.sampling === undefined ? [] : [tell('log-sampled', 'it has sampling')]),
    ...ofFormat(log, tell),
    ...(file === undefined ? [] : ofRolling(log, tell)),
  ];
}

function outputOf({ writer = {} }: Log): string {
  const { output, filename } = writer;
  return output === 'file' && typeof filename === 'string'
    ? `${filename}, which keeps nothing`
    : 'no file';
}

function isToldAll({ level = '' }: Log): boolean {
  return ['', 'INFO', 'DEBUG'].includes(level.toUpperCase());
}

/** Less than this, and an hour of a flood is more than what is kept. In MiB. */
const MIN_KEPT_MIB = 512;

function ofRolling({ writer = {} }: Log, tell: (code: Code, seen: string) => Found): Found[] {
  const { roll = true, roll_size_mb: size = 100, roll_keep: keep = 10 } = writer;
  const { roll_compression: compression, roll_gzip: gzip } = writer;
  const mode = typeof writer['mode'] === 'string' ? writer['mode'] : '0600';
  const found: Found[] = [];
  if (roll !== false && Number(size) * (Number(keep) + 1) < MIN_KEPT_MIB) {
    found.push(tell('log-rolls', `it keeps ${Number(keep)} files of ${Number(size)} MiB`));
  }
  if (roll !== false && compression !== 'none' && gzip !== false) {
    found.push(tell('log-rolls', 'its rolled files are packed'));
  }
  if (!/[4-7][0-7]$/.test(mode)) {
    found.push(tell('log-rolls', `its mode is ${mode}, which its group can’t read`));
  }
  return found;
}
