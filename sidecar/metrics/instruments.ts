// All metrics that Signet gives, and their labels, by their OpenTelemetry names: its conventions' (1.45)
// where they exist, ours where they don't. Names are part of Signet's interface. Counts nothing.

/** What is measured, and how it is written. */
export type Instrument = {
  readonly name: string;
  /** By UCUM: `s`, `By`; in braces what is counted. */
  readonly unit: string;
  readonly description: string;
  /** A counter never falls while the process lives. */
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** Its values are whole numbers, and leave as such. */
  readonly isWhole: boolean;
};

/** Names of the labels. A user is never one: there would be a series for each. */
export const LABELS = {
  route: 'http.route',
  team: 'team',
  userType: 'user_type',
  decision: 'signet.decision',
  statusClass: 'signet.status_class',
  rowKind: 'signet.row.kind',
  event: 'signet.event',
  destination: 'signet.destination',
  signal: 'signet.signal',
  status: 'signet.status',
  leftOutReason: 'signet.left_out.reason',
  check: 'signet.check',
  version: 'service.version',
  overflow: 'otel.metric.overflow',
} as const;

/** Every metric, in the order in which they are given. */
export const INSTRUMENTS = {
  requests: counter('signet.requests', '{request}', 'Requests that were recorded.'),
  duration: histogram(
    'http.server.request.duration',
    'How long requests took at the edge, by the access log.',
  ),
  gateDuration: histogram('signet.gate.duration', 'How long the gate took to decide.'),
  rows: counter('signet.rows', '{row}', 'Rows that the recorder made of the access log, by kind.'),
  events: counter(
    'signet.events',
    '{event}',
    'Events that came by way of the access log, by name: sign-ins, failed ones and the like.',
  ),
  linesSetAside: counter(
    'signet.lines.set_aside',
    '{line}',
    'Lines of the access log that could not be read, ever since the audit store was begun.',
  ),
  decisionsLost: counter(
    'signet.decisions.lost',
    '{row}',
    'Rows that report decisions of the gate without a line in the access log, as the audit store has them.',
  ),
  unexplained: counter(
    'signet.unexplained',
    '{request}',
    'Requests that were served with no decision that allowed them, as the audit store has them.',
  ),
  decisionsOpen: gauge('signet.decisions.open', '{decision}', 'Decisions without a line yet.'),
  decisionsOverdue: gauge(
    'signet.decisions.overdue',
    '{decision}',
    'Decisions without a line for more than a minute.',
  ),
  invalidStamps: counter(
    'signet.stamps.invalid',
    '{stamp}',
    'Stamps in the access log that were not believed.',
  ),
  recorderUp: gauge('signet.recorder.up', '', 'Whether the recorder answers: 1, else 0.'),
  recorderProblem: gauge(
    'signet.recorder.problem',
    '',
    'Whether something keeps the recorder from its work: 1, else 0. The log and /readyz say what.',
  ),
  recorderBacklog: gauge(
    'signet.recorder.backlog',
    'By',
    'Bytes of the access log that are not yet recorded.',
  ),
  recorderLag: gauge(
    'signet.recorder.lag',
    's',
    'How far the recorder is behind the access log, by the time of requests; 0 at its end.',
    false,
  ),
  clockSkew: gauge(
    'signet.clock.skew',
    's',
    'By how much the clock of the gate is ahead of the one of Caddy, at the most, lately.',
    false,
  ),
  deliverySent: counter(
    'signet.delivery.sent',
    '{item}',
    'Spans, or log records, that a destination has acknowledged.',
  ),
  deliveryLeftOut: counter(
    'signet.delivery.left_out',
    '{item}',
    'Spans, or log records, that a destination did not get, by reason.',
  ),
  deliveryBacklog: gauge(
    'signet.delivery.backlog',
    '{row}',
    'Rows that a destination has not yet acknowledged.',
  ),
  deliveryInFlight: gauge(
    'signet.delivery.in_flight',
    '{export_request}',
    'Export requests that a destination has not yet answered.',
  ),
  deliveryStatus: gauge(
    'signet.delivery.status',
    '',
    'How delivery to a destination stands: 1 for the status that holds, 0 for the others.',
  ),
  checkOk: gauge(
    'signet.check.ok',
    '',
    'Whether a part that is not the recorder is as it should be: 1, else 0. /readyz says what is wrong.',
  ),
  buildInfo: gauge('signet.build.info', '', 'Always 1; which version this is.'),
} as const;

function counter(name: string, unit: string, description: string): Instrument {
  return { name, unit, description, kind: 'counter', isWhole: true };
}

function gauge(name: string, unit: string, description: string, isWhole = true): Instrument {
  return { name, unit, description, kind: 'gauge', isWhole };
}

function histogram(name: string, description: string): Instrument {
  return { name, unit: 's', description, kind: 'histogram', isWhole: false };
}
