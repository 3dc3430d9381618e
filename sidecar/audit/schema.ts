// The audit store's tables, in the words of SQLite and of PostgreSQL. No SQL is run here; how a row
// becomes columns is in columns.ts.

/** "Sgnt": what tells an audit store from any other SQLite file. */
export const APPLICATION_ID = 0x53676e74;

/** Grows with each change of the tables; a store with a higher one is not opened. */
export const SCHEMA_VERSION = 2;

/** How one kind of database says what the other says otherwise. */
export type Dialect = {
  readonly integer: 'INTEGER' | 'BIGINT';
  readonly bytes: 'BLOB' | 'BYTEA';
  /** Ordered by bytes, whatever the language of the database: pages are merged in that order. */
  readonly id: 'TEXT' | 'TEXT COLLATE "C"';
  /** Columns of `audit_rows` that name its place: chain and sequence. */
  readonly place: string;
  /** The chain that a connection writes to, as a column with a default. */
  readonly chain: string;
  /** What follows a table's closing bracket. */
  readonly suffix: 'STRICT' | '';
};

/** SQLite holds one chain; in `audit_rows` it costs nothing, and the sequence is the row's own number. */
export function sqliteDialect(chain: string): Dialect {
  const constant = `'${chain.replaceAll("'", "''")}'`;
  return {
    integer: 'INTEGER',
    bytes: 'BLOB',
    id: 'TEXT',
    place: `sequence INTEGER PRIMARY KEY, chain TEXT GENERATED ALWAYS AS (${constant}) VIRTUAL`,
    chain: `chain TEXT NOT NULL DEFAULT ${constant}`,
    suffix: 'STRICT',
  };
}

/** Several sidecars write to one database, each its chain: which, each connection says by a setting. */
export const POSTGRES_DIALECT: Dialect = {
  integer: 'BIGINT',
  bytes: 'BYTEA',
  id: 'TEXT COLLATE "C"',
  place:
    "sequence BIGINT NOT NULL, chain TEXT NOT NULL DEFAULT current_setting('signet.chain'), " +
    'PRIMARY KEY (chain, sequence)',
  chain: "chain TEXT NOT NULL DEFAULT current_setting('signet.chain')",
  suffix: '',
};

/**
 * Values about a person: what is committed to under the person's key, and erased when the person is
 * forgotten. The path and the requirement are among them: they may name one. The order is part of
 * every commitment.
 */
export const PERSONAL_COLUMNS = [
  'path',
  'query',
  'client_address',
  'peer_address',
  'user_agent',
  'requirement',
  'issuer',
  'subject',
  'user',
  'team',
  'roles',
  'actor',
  'session_hash',
] as const;

/** All other values, which are hashed as they are. The order is part of every hash. */
export const PLAIN_COLUMNS = [
  'sequence',
  'kind',
  'request_id',
  'person',
  'event',
  'details',
  'trace_id',
  'parent_span_id',
  'link',
  'sampled',
  'started_at_us',
  'duration_us',
  'skew_us',
  'method',
  'scheme',
  'host',
  'protocol',
  'status',
  'request_bytes',
  'response_bytes',
  'decision',
  'reason',
  'route',
  'type',
  'auth_method',
  'gate_boot_id',
  'gate_number',
  'gate_supersedes',
  'gate_started_at_us',
  'gate_duration_us',
  'upstream_address',
  'upstream_started_at_us',
  'upstream_duration_us',
  'upstream_latency_us',
  'upstream_retries',
] as const;

/** What is not part of a row's values but proves them. */
export const PROOF_COLUMNS = ['commitment', 'hash'] as const;

/** Every column of `audit_rows` but `chain`, in the order in which they are inserted. */
export const ROW_COLUMNS = [...PLAIN_COLUMNS, ...PERSONAL_COLUMNS, ...PROOF_COLUMNS] as const;

/**
 * Returns the statements that make the tables. Times are microseconds since the epoch. An index on
 * random ids is the dear part of a row: the request id has one because it must be unique; a trace id
 * has its own column and index only where it can't be derived from the request id.
 */
export function schemaSql({ integer, bytes, id, place, chain, suffix }: Dialect): string[] {
  const integers = new Set<string>(INTEGER_COLUMNS);
  const typeOf = (name: string) =>
    integers.has(name) ? integer : name === 'request_id' ? id : 'TEXT';
  const typed = [...PLAIN_COLUMNS.filter((name) => name !== 'sequence'), ...PERSONAL_COLUMNS].map(
    (name) => `"${name}" ${typeOf(name)}${constraintOf(name)}`,
  );
  const [first, ...rest] = place.split(', PRIMARY KEY');
  const key = rest.length === 0 ? '' : `, PRIMARY KEY${rest.join('')}`;
  return [
    `CREATE TABLE audit_rows (${first}, ${typed.join(', ')}, commitment ${bytes}, hash ${bytes} NOT NULL${key}) ${suffix}`,
    // What grouping needs of a row stands in the index as well: counting a million rows reads no row.
    'CREATE INDEX audit_rows_by_user ON audit_rows ("user", started_at_us, duration_us, status, decision)',
    'CREATE INDEX audit_rows_by_team ON audit_rows (team, started_at_us, duration_us, status, decision)',
    'CREATE INDEX audit_rows_by_route ON audit_rows (route, started_at_us, duration_us, status, decision)',
    'CREATE INDEX audit_rows_by_time ON audit_rows (started_at_us)',
    'CREATE INDEX audit_rows_by_trace ON audit_rows (trace_id) WHERE trace_id IS NOT NULL',
    // Of what is rare and looked for: they cost a common row nothing. condition.ts repeats their WHERE.
    "CREATE INDEX audit_rows_by_decision ON audit_rows (decision, started_at_us) WHERE decision <> 'allow'",
    "CREATE INDEX audit_rows_by_reason ON audit_rows (reason, started_at_us) WHERE reason <> 'requirement-met' AND reason <> 'public'",
    "CREATE INDEX audit_rows_by_kind ON audit_rows (kind, started_at_us) WHERE kind <> 'request'",
    'CREATE INDEX audit_rows_by_event ON audit_rows (event, started_at_us) WHERE event IS NOT NULL',
    'CREATE INDEX audit_rows_by_error ON audit_rows (started_at_us) WHERE status >= 500',
    `CREATE TABLE persons (${chain}, person ${integer} NOT NULL, issuer TEXT NOT NULL, subject TEXT NOT NULL, "user" TEXT NOT NULL, key ${bytes} NOT NULL, PRIMARY KEY (chain, person), UNIQUE (chain, issuer, subject, "user")) ${suffix}`,
    `CREATE TABLE heads (${chain}, sequence ${integer} NOT NULL, hash ${bytes} NOT NULL, signed_at_us ${integer} NOT NULL, key_id TEXT NOT NULL, signature ${bytes} NOT NULL, PRIMARY KEY (chain, sequence, key_id)) ${suffix}`,
    `CREATE TABLE stubs (${chain}, sequence ${integer} NOT NULL, hash ${bytes} NOT NULL, rows ${integer} NOT NULL, removed_at_us ${integer} NOT NULL, key_id TEXT NOT NULL, signature ${bytes} NOT NULL, PRIMARY KEY (chain)) ${suffix}`,
    `CREATE TABLE set_aside (${chain}, hash TEXT NOT NULL, reason TEXT NOT NULL, head TEXT NOT NULL, bytes ${integer} NOT NULL, PRIMARY KEY (chain, hash)) ${suffix}`,
    `CREATE TABLE log_checkpoint (${chain}, checkpoint TEXT NOT NULL, PRIMARY KEY (chain)) ${suffix}`,
    `CREATE TABLE cursors (${chain}, destination TEXT NOT NULL, sequence ${integer} NOT NULL, PRIMARY KEY (chain, destination)) ${suffix}`,
    `CREATE TABLE boots (${chain}, boot_id TEXT NOT NULL, highest ${integer} NOT NULL, PRIMARY KEY (chain, boot_id)) ${suffix}`,
    `CREATE TABLE gaps (${chain}, boot_id TEXT NOT NULL, first ${integer} NOT NULL, last ${integer} NOT NULL, PRIMARY KEY (chain, boot_id, first)) ${suffix}`,
    `CREATE TABLE notes (${chain}, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (chain, name)) ${suffix}`,
  ];
}

const INTEGER_COLUMNS = [
  'person',
  'sampled',
  'started_at_us',
  'duration_us',
  'skew_us',
  'status',
  'request_bytes',
  'response_bytes',
  'gate_number',
  'gate_supersedes',
  'gate_started_at_us',
  'gate_duration_us',
  'upstream_started_at_us',
  'upstream_duration_us',
  'upstream_latency_us',
  'upstream_retries',
] as const;

function constraintOf(name: string): string {
  if (name === 'request_id') return ' NOT NULL UNIQUE';
  return ['kind', 'person', 'started_at_us'].includes(name) ? ' NOT NULL' : '';
}
