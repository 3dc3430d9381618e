// What is to be reached, and whether it was: each target as a ratio within one run. Pure.
import type { EdgeReport } from './edge.ts';
import type { Figure } from './edge-run.ts';
import {
  caddyCpuUs,
  cpuOf,
  figureOf,
  perSecond,
  ratioOf,
  sidecarCpuUs,
  spreadOf,
  sustainedPerSecond,
  wholeCpuUs,
  type Spread,
} from './edge-ratios.ts';

export type Target = {
  readonly what: string;
  readonly limit: { readonly atLeast: number } | { readonly atMost: number };
  readonly unit: string;
  /** Undefined when it was not measured. */
  readonly value?: Spread;
  readonly isMet?: boolean;
  readonly note?: string;
};

type Unjudged = Omit<Target, 'isMet' | 'value'> & { readonly value: Spread | undefined };

const SIDECAR_US = 80;
/** Of the machine that the 80 µs were set on: its JSON.parse of a line of 900 bytes. */
const SET_ON_PARSE_US = 4.6;

/** Returns every target with what was measured; `parseUs` is this machine's JSON.parse of 900 bytes. */
export function targetsOf(report: EdgeReport, parseUs: number): readonly Target[] {
  const { figures } = report;
  return [
    ...throughputTargets(figures),
    ...latencyTargets(report),
    ...cpuTargets(figures, parseUs),
    ...recorderTargets(report),
  ].map(judged);
}

function throughputTargets(figures: readonly Figure[]): Unjudged[] {
  // By CPU: on saturated cores requests/s goes with it, and it bears other work on the machine.
  const ratio = (
    what: string,
    [over, under]: readonly [string, string],
    atLeast: number,
    cpu = wholeCpuUs,
  ): Unjudged => {
    const value = ratioOf(figures, [over, perSecond], [under, perSecond]);
    const byCpu = ratioOf(figures, [under, cpu], [over, cpu]);
    const sustained = ratioOf(figures, [over, sustainedPerSecond], [under, perSecond]);
    if (value === undefined || byCpu === undefined || sustained === undefined) {
      return { what, limit: { atLeast }, unit: '', value };
    }
    const until = `; until the last span: ${sustained.median.toFixed(2)}`;
    const isRecorded = sustained.median !== value.median;
    const note = `by CPU per request: ${byCpu.median.toFixed(2)}${isRecorded ? until : ''}`;
    return { what, limit: { atLeast }, unit: '', value, note };
  };
  // Whoever keeps a record has a log to pay for: no snippet with one can come closer to L1 than this.
  const withLimit = (target: Unjudged): Unjudged => {
    const log = ratioOf(figures, ['L1+log', perSecond], ['L1', perSecond]);
    const least = log && `L1 with Caddy’s own log ÷ L1: ${log.median.toFixed(2)}`;
    const note = [target.note, least].filter((text) => text !== undefined).join('; ');
    return note === '' ? target : { ...target, note };
  };
  return [
    withLimit(ratio('requests/s: L2 ÷ L1', ['L2', 'L1'], 0.85)),
    ratio('requests/s: Signet, nothing recorded ÷ L2', ['signet-off', 'L2'], 0.9),
    ratio('requests/s: everything on ÷ L2', ['signet-on', 'L2'], 0.75),
    ratio(
      'the same, sidecar on a core of its own',
      ['signet-on/pinned', 'L2/pinned'],
      0.95,
      caddyCpuUs,
    ),
    ratio('requests/s: Signet, nothing recorded ÷ O', ['signet-off', 'O'], 1.2),
    ratio('requests/s: everything on ÷ O', ['signet-on', 'O'], 1),
  ];
}

function latencyTargets({ latency, outage }: EdgeReport): Unjudged[] {
  const added = (quantile: 'p50' | 'p99') =>
    spreadOf(latency.map(({ signet, none }) => signet[quantile] - none[quantile]));
  const gate = spreadOf(outage.map(({ up, down }) => down.gateUs / up.gateUs));
  const request = spreadOf(outage.map(({ up, down }) => down.request.p50 / up.request.p50));
  const note = request && `whole requests, p50: ${request.median.toFixed(2)}`;
  const down = 'gate latency, destination down ÷ up';
  return [
    added50('p50', 0.3),
    added50('p99', 3),
    { what: down, limit: { atMost: 1.1 }, unit: '', value: gate, ...(note && { note }) },
  ];

  function added50(quantile: 'p50' | 'p99', atMost: number): Unjudged {
    const what = `added latency at 500 requests/s, ${quantile}`;
    return { what, limit: { atMost }, unit: 'ms', value: added(quantile) };
  }
}

function cpuTargets(figures: readonly Figure[], parseUs: number): Unjudged[] {
  const scaledUs = (SIDECAR_US * parseUs) / SET_ON_PARSE_US;
  const here = `JSON.parse of 900 bytes takes ${parseUs.toFixed(1)} µs here`;
  return [
    {
      what: 'CPU of gate, recorder and export per request ÷ oauth2-proxy’s',
      limit: { atMost: 1 },
      unit: '',
      value: ratioOf(figures, ['signet-on', sidecarCpuUs], ['O', cpuOf('oauth2-proxy')]),
    },
    {
      what: 'CPU of gate, recorder and export per request',
      limit: { atMost: Number(scaledUs.toFixed(1)) },
      unit: 'µs',
      value: figureOf(figures, 'signet-on', sidecarCpuUs),
      note: `${here}; the target is ${SIDECAR_US} µs where it takes ${SET_ON_PARSE_US}`,
    },
  ];
}

function recorderTargets({ figures, lag, memory }: EdgeReport): Unjudged[] {
  // Of L2, which writes a line for each request: no other Caddy gives the recorder work.
  const ratio = ratioOf(figures, ['signet-on', recordsPerSecond], ['L2', perSecond]);
  const [first, last] = [memory?.[0], memory?.at(-1)];
  const growth = first && last && last.residentMiB / first.residentMiB;
  return [
    {
      what: 'records per second of CPU (recorder, export, engine) ÷ L2’s requests/s',
      limit: { atLeast: 3 },
      unit: '',
      value: ratio,
    },
    {
      what: 'lag of the recorder after full load',
      limit: { atMost: 1 },
      unit: 's',
      value: spreadOf(lag === undefined ? [] : [lag.rowsMs / 1000]),
      ...(lag && { note: `${lag.requests} requests; the last span after ${seconds(lag.spansMs)}` }),
    },
    {
      what: 'resident memory, 10⁶ requests ÷ 10⁵ requests',
      limit: { atMost: 1.1 },
      unit: '',
      value: spreadOf(growth === undefined ? [] : [growth]),
      ...(last && { note: `${last.residentMiB.toFixed(0)} MiB after ${last.requests}` }),
    },
  ];
}

function recordsPerSecond({ cpu }: Figure): number {
  return 1e6 / ((cpu['recorder'] ?? Number.NaN) + (cpu['sidecar-other'] ?? 0));
}

function judged({ value, ...target }: Unjudged): Target {
  if (value === undefined) return target;
  const { limit } = target;
  const isMet = 'atLeast' in limit ? value.median >= limit.atLeast : value.median <= limit.atMost;
  return { ...target, value, isMet };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
