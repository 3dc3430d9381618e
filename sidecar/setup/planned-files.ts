// All files of an installation, as texts with their rights. Pure: nothing is written here.
import type { Answers } from './answers.ts';
import { caddyEnvText, caddyfileText } from './caddy-text.ts';
import type { Layout } from './layout.ts';
import type { PlannedFile } from './place-files.ts';
import { settingsText, type SettingsTextOptions, tokenFile } from './settings-text.ts';

/** Returns the files in the order in which they are to be placed. */
export function plannedFiles(
  options: SettingsTextOptions & { readonly snippet: string },
): PlannedFile[] {
  const { answers, layout, snippet } = options;
  const { host, app, clientSecret } = answers;
  return [
    { path: layout.clientSecret, content: clientSecret, ...SECRET },
    ...tokenFiles(answers, layout).map((path) => ({ path, content: undefined, ...SECRET })),
    { path: layout.settings, content: settingsText(options), ...PRIVATE },
    { path: layout.snippet, content: snippet, mode: 0o644 },
    ...(layout.caddyEnv === undefined
      ? []
      : [{ path: layout.caddyEnv, content: caddyEnvText(layout, app), mode: 0o644 }]),
    { path: layout.caddyfile, content: caddyfileText(host, app, layout), mode: 0o644 },
  ];
}

/** The sidecar's to read, and its owner's to write. */
const PRIVATE = { mode: 0o640, isShared: true } as const;
const SECRET = { ...PRIVATE, isSecret: true } as const;

/** Returns the files of secrets that somebody has to write into, beside the client's. */
export function tokenFiles({ spansTo }: Answers, layout: Layout): string[] {
  const needsToken = spansTo.kind === 'profile' && spansTo.needsToken;
  return needsToken ? [tokenFile(layout, spansTo.profile)] : [];
}
