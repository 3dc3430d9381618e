// The house: which room may import which. README prints the same table.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../sidecar', import.meta.url));

/** Room → the rooms that it may import. Whatever is not named here must not be imported. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  postgres: [],
  identity: [],
  sessions: ['identity', 'postgres'],
  policy: ['identity'],
  accesslog: [],
  audit: ['accesslog', 'identity', 'policy', 'postgres'],
  decisions: ['audit', 'policy'],
  retention: ['audit'],
  reload: [],
  verify: ['audit'],
  report: ['audit', 'identity', 'policy', 'verify'],
  trace: ['audit', 'identity'],
  metrics: ['audit'],
  otlp: ['audit', 'metrics', 'trace'],
  delivery: ['audit', 'otlp', 'trace'],
  review: ['audit', 'delivery', 'metrics', 'otlp', 'trace'],
  deployment: ['audit', 'report'],
  setup: ['identity', 'otlp'],
  caddyfile: [],
  edge: [],
  explain: ['edge', 'identity', 'policy'],
  check: ['caddyfile', 'edge', 'explain', 'policy'],
  doctor: ['audit', 'edge', 'identity', 'otlp', 'report', 'setup', 'trace'],
  commands: [
    'audit',
    'caddyfile',
    'check',
    'delivery',
    'deployment',
    'doctor',
    'edge',
    'explain',
    'identity',
    'otlp',
    'policy',
    'report',
    'review',
    'sessions',
    'setup',
    'trace',
  ],
  config: ['identity', 'otlp', 'trace'],
  http: ['identity', 'policy', 'sessions'],
};

/** Small basics at the top that any room may use. */
const BASICS = ['drafts.ts', 'fault.ts', 'secret.ts', 'visible.ts'];

/** What `http` may know of the spines: the gate, and how a request to it is read. */
const SPINES_FOR_HTTP = ['gate.ts', 'request.ts'];

type Import = { from: string; to: string };

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((m) => m[1]!);
  return specifiers.map((specifier) => ({
    from: file,
    to: relative(ROOT, join(ROOT, file, '..', specifier))
      .split(sep)
      .join('/'),
  }));
}

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.split(sep).join('/'));
const imports = files.flatMap(importsOf);
const roomOf = (file: string) =>
  file.includes('/') ? file.slice(0, file.indexOf('/')) : undefined;

test('every room is in the table', () => {
  const rooms = new Set(files.map(roomOf).filter((room) => room !== undefined));
  expect([...rooms].toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted());
});

test('rooms import one way, by the table', () => {
  const wrong = imports.filter(({ from, to }) => {
    const room = roomOf(from);
    if (room === undefined || roomOf(to) === room) return false;
    const other = roomOf(to);
    if (other !== undefined) return !MAY_IMPORT[room]?.includes(other);
    if (room === 'http' && SPINES_FOR_HTTP.includes(to)) return false;
    return !BASICS.includes(to);
  });
  expect(wrong).toEqual([]);
});

/** The wiring, and what only it uses. */
const WIRING = [
  'cli.ts',
  'edge-settings.ts',
  'front.ts',
  'main.ts',
  'readiness.ts',
  'recorder-settings.ts',
  'ring-file.ts',
  'takeover.ts',
];

test('the spines and their small parts know nothing of http or config', () => {
  const wrong = imports.filter(
    ({ from, to }) =>
      roomOf(from) === undefined &&
      !WIRING.includes(from) &&
      ['http', 'config'].includes(roomOf(to) ?? ''),
  );
  expect(wrong).toEqual([]);
});

test('nobody but the command imports main.ts', () => {
  const importers = imports.filter(({ to }) => to === 'main.ts').map(({ from }) => from);
  expect(importers).toEqual(['cli.ts']);
});

test('only the command loads the configuration, and only the wiring takes it apart', () => {
  const takers = imports
    .filter(({ from, to }) => roomOf(to) === 'config' && roomOf(from) !== 'config')
    .map(({ from }) => from);
  expect([...new Set(takers)].filter((taker) => !WIRING.includes(taker))).toEqual([]);
});

/** The rim: who may touch files, sockets, the environment, clocks, timers or randomness. */
const RIM = [
  'accesslog/checkpoint.ts', // reads the log
  'accesslog/follow.ts',
  'accesslog/late-lines.ts',
  'accesslog/log-files.ts',
  'accesslog/open-log.ts',
  'accesslog/read-lines.ts',
  'accesslog/succession.ts',
  'accesslog/unpack.ts',
  'accesslog/unpack-worker.ts',
  'report/command-export.ts', // the terminal
  'report/command-forget.ts',
  'report/command-list.ts',
  'report/command-remove.ts',
  'report/command-store.ts',
  'report/command-verify.ts',
  'report/export-file.ts', // the exported file
  'report/follow.ts', // waits between looks
  'audit/migrate.ts', // randomness: a chain's name, persons' keys
  'audit/open.ts', // the store's file
  'audit/persons.ts', // randomness: persons' keys
  'postgres/pool.ts', // the database, and its timers
  'report/progress.ts', // the terminal
  'verify/published.ts', // files of published heads
  'audit/sqlite.ts', // the store's file
  'caddyfile/on-disk.ts', // the Caddyfile's files
  'edge/adapt.ts', // a configuration of Caddy's, and Caddy itself
  'edge/find-here.ts',
  'edge/run-bounded.ts',
  'explain/listen.ts', // addresses; opens nothing
  'explain/match-address.ts',
  'doctor/ask.ts', // the network
  'doctor/caddy.ts', // starts `caddy version`
  'doctor/destinations.ts', // randomness: a span's ids
  'doctor/evidence.ts', // waits for a row
  'doctor/examine.ts', // the clock
  'doctor/examine-site.ts', // the clock, and a nonce
  'doctor/log-file.ts', // the log's end
  'commands/check.ts', // files, the terminal
  'commands/check-file.ts',
  'commands/doctor.ts',
  'commands/explain.ts',
  'commands/read-at-most.ts', // a file that is named on the command line
  'sessions/cookie-value.ts', // randomness
  'setup/app.ts', // addresses; opens nothing
  'setup/host.ts',
  'setup/package-files.ts', // the package's own files
  'setup/place-files.ts', // the files of an installation
  'setup/rights.ts',
  'setup/safe-folder.ts',
  'setup/there.ts',
  'setup/write-whole.ts',
  'setup/terminal.ts', // the terminal
  'cli.ts', // the environment
  'clock.ts',
  'command-open.ts', // the terminal
  'config/keys.ts', // the key ring's file
  'config/ring-lock.ts', // the lock beside the key ring's file
  'config/write-keys.ts', // the key ring's file, and new keys
  'commands/deliver.ts', // the terminal
  'deployment/command-mark.ts', // the clock
  'deployment/command-verdict.ts',
  'dispatch.ts',
  'drafts.ts', // files that are being written
  'disk-space.ts', // how full the disks are
  'commands/export-review.ts', // the terminal
  'commands/config.ts', // the terminal
  'commands/init.ts', // the file of the secret, the terminal
  'commands/spans.ts',
  'commands/status.ts', // the terminal, the clock
  'commands/status-ask.ts', // the network
  'delivery/deliver.ts', // waits between tries
  'delivery/live.ts',
  'delivery/bell.ts',
  'otlp/grpc.ts', // the network
  'otlp/grpc-connection.ts',
  'otlp/wrong-port.ts',
  'otlp/http.ts',
  'otlp/http-post.ts',
  'otlp/tunnel.ts',
  'otlp/wrong-port.ts', // the network
  'otlp/grpc-connection.ts', // the network
  'otlp/https-agent.ts', // the network
  'otlp/bounded-file.ts', // files with certificates and tokens
  'otlp/proxy.ts', // addresses; opens nothing
  'otlp/tls.ts', // certificates' files
  'otlp/watched-file.ts', // files with tokens
  'delivery/metrics-export.ts', // once a minute
  'delivery/replay.ts',
  'front.ts', // hands out the clock
  'heads.ts', // the file of published heads
  'http/close.ts',
  'http/form-body.ts', // a body's time
  'http/health.ts',
  'http/inherited-socket.ts',
  'http/listen.ts', // the sockets
  'http/server.ts',
  'identity/bounded-fetch.ts', // the network
  'identity/hand-over.ts', // randomness: states
  'identity/login-under-way.ts', // randomness: state and nonce
  'identity/provider.ts', // waits between tries
  'identity/sealed.ts', // randomness: the seal's nonce
  'sessions/lease.ts', // its timer
  'sessions/store-answering.ts', // the network, and its timers
  'sessions/store-file.ts', // the store's file
  'sessions/store-line.ts', // waits between tries
  'sessions/store-reopened.ts', // the store's file
  'sessions/upkeep.ts', // a steady clock
  'sessions/store-line.ts', // its timer, which a command waits for
  'sessions/wait.ts', // a timer
  'sessions/sessions.ts', // randomness: the session's id; its timer
  'decisions/journal-file.ts', // the gate's journals
  'decisions/journal.ts',
  'lock.ts',
  'decisions/log-facts.ts', // the log's disk
  'log.ts',
  'main.ts',
  'open-sessions.ts', // hands out the clock
  'places.ts', // the state folder
  'decisions/reckon.ts', // looks once a second
  'record-thread.ts',
  'record-worker.ts',
  'ring-file.ts', // the key ring's file
  'retention/retention.ts', // now and then
  'version.ts',
  'reload/reload.ts', // tries again
  'reload/watch-files.ts',
];

test('clocks, randomness, files and sockets are touched at the rim only', () => {
  const impure =
    /Date\.now|new Date\(\)|performance\.|Math\.random|randomBytes|randomUUID|setTimeout|setInterval|process\.(env|argv|stdout|stderr)|'node:(fs|net|http|https|timers|child_process)/;
  // A type touches nothing.
  const running = (file: string) =>
    readFileSync(join(ROOT, file), 'utf8').replaceAll(/^import type [^;]*;/gm, '');
  const touching = files.filter((file) => impure.test(running(file)));
  expect(touching.filter((file) => !RIM.includes(file))).toEqual([]);
  expect(RIM.filter((file) => !files.includes(file))).toEqual([]);
});
