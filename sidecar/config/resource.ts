// The resource: what spans, log records and metrics say of where they come from.
import type { Reading } from './reading.ts';

/** Returns its attributes; the version is Signet's own unless it is set. */
export function resourceOf({ settings, attributes }: Reading): Readonly<Record<string, string>> {
  const { name, version, environment, deployment } = settings.service;
  return {
    ...attributes,
    'service.name': name,
    ...(version !== undefined && { 'service.version': version }),
    'deployment.environment.name': environment,
    ...(deployment !== undefined && { 'deployment.id': deployment }),
  };
}
