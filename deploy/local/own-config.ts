// The sidecar's settings in the local stack: a file of its own, so that no signet.yaml that happens to lie
// where somebody stands bends it.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes sure of the file, and returns it. */
export type ConfigFile = (folder: string, receiverPort: number) => string;

/** Where the receiver listens unless its port is taken: not 4317, where people have a Collector. */
export const RECEIVER_PORT = 4327;

/** `npm start`'s: written once, and then whoever runs it may edit it. */
export const editableConfig: ConfigFile = (folder, receiverPort) => {
  const file = editableFile(folder);
  if (!existsSync(file)) writeFileSync(file, settings(folder, receiverPort));
  return file;
};

/** `npm run demo`'s, which checks what it got: the same each time. */
export const plainConfig: ConfigFile = (folder, receiverPort) => {
  const file = join(folder, 'demo.yaml');
  writeFileSync(file, settings(folder, receiverPort));
  return file;
};

/** Returns the file that may be edited. */
export function editableFile(folder: string): string {
  return join(folder, 'signet.yaml');
}

/** Returns the file with what the receiver wants to hear; the stack writes it. */
export function receiverHeaders(folder: string): string {
  return join(folder, 'receiver-headers');
}

/** Returns the file with the sidecar's environment, for commands that are to know all that it knows. */
export function environmentFile(folder: string): string {
  return join(folder, 'sidecar.env');
}

/** Writes an environment as `node --env-file` reads it. The client's secret is in it, as good as the stack's life. */
export function writeEnvironment(folder: string, env: Readonly<Record<string, string>>): void {
  const lines = Object.entries(env).map(([name, value]) => `${name}=${quotedFor(value)}\n`);
  writeFileSync(environmentFile(folder), lines.join(''), { mode: 0o600 });
}

// By one that is not in it: there are no escapes.
function quotedFor(value: string): string {
  const quote = ["'", '"', '`'].find((one) => !value.includes(one)) ?? '';
  return quote + value + quote;
}

// Called `otlp`, because the stack tells the sidecar by OTEL_EXPORTER_OTLP_ENDPOINT where the receiver
// really is. The endpoint here is for the commands, which the stack doesn't start.
function settings(folder: string, receiverPort: number): string {
  return `# Settings of the local stack: \`npm start\` reads this file and no other. Edit it:
# it is taken over within seconds.
destinations:
  - name: otlp # the stack's receiver, in Lightstep's place; under another name it is not found
    endpoint: http://127.0.0.1:${receiverPort}
    headers_file: ${JSON.stringify(receiverHeaders(folder))}
    # budget: { spans_per_second: 30 }
sign_out: provider # whoever signs out here is signed out at the provider, too
session: { recheck: 1m } # so often the provider is asked whether a session still holds
# sampling:
#   ratio: 0.1
#   rules: [{ route: orders, ratio: 1 }]
`;
}
