// OpenTelemetry's names as Prometheus has them (OpenTelemetry, "Prometheus and OpenMetrics
// Compatibility"): the unit and what a counter is are part of the name.
import type { Instrument } from './instruments.ts';

/** UCUM → Prometheus's words. What is counted, in braces, is no unit. */
const UNITS: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' };

/** Returns the unit in Prometheus's word; undefined for none. */
export function unitOf({ unit }: Instrument): string | undefined {
  return UNITS[unit];
}

/** Returns the name of the metric without what a counter ends with. */
export function familyName(instrument: Instrument): string {
  const name = prometheusName(instrument.name);
  const unit = unitOf(instrument);
  return unit === undefined || name.endsWith(`_${unit}`) ? name : `${name}_${unit}`;
}

/** Returns a name in letters, digits and single underscores; it begins with no digit. */
export function prometheusName(name: string): string {
  const plain = name.replaceAll(/[^a-zA-Z0-9]+/g, '_');
  return /^[0-9]/.test(plain) ? `_${plain}` : plain;
}
