// h2load's log of requests, read into how long they took.
import { readFileSync } from 'node:fs';
import { median, quantile } from '../fixtures/figures.ts';

/** In milliseconds. */
export type Latencies = { readonly p50: number; readonly p99: number };

/** Returns the percentiles of a file that `load` wrote: its third column is in microseconds. */
export function readLatencies(logFile: string): Latencies {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n');
  const ms = lines.map((line) => Number(line.split('\t')[2]) / 1000);
  return { p50: median(ms), p99: quantile(ms, 0.99) };
}
