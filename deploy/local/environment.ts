// The environment that the stack's processes get: the caller's, without what would bend a stack that
// is meant to be the same everywhere.

const OURS = /^(SIGNET|OTEL|LIGHTSTEP|PROVIDER|RECEIVER)_/;
const LOOPBACK = 'localhost,127.0.0.1,::1';

/** Returns `base` without Signet's and OpenTelemetry's own variables, and then `extra`. */
export function cleanEnvironment(
  base: NodeJS.ProcessEnv,
  extra: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(base).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !OURS.test(entry[0]),
  );
  // gRPC would ask a proxy of the environment for loopback addresses too.
  const noProxy = { no_proxy: LOOPBACK, NO_PROXY: LOOPBACK };
  return { ...Object.fromEntries(kept), ...noProxy, ...extra };
}
