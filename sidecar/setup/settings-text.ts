// The text of signet.yaml: only what is needed, and comments for what comes next.
import { stringify } from 'yaml';
import type { Answers } from './answers.ts';
import { redirectUriOf } from './host.ts';
import type { Layout } from './layout.ts';
import { presetFor } from './preset.ts';
import { PROFILE_NAMES, type SpansTo } from './spans-to.ts';

export type SettingsTextOptions = {
  readonly answers: Answers;
  readonly layout: Layout;
  /** What is to be asked for; absent: the default holds. */
  readonly scopes?: readonly string[];
  /** Path of the JSON Schema, for editors. */
  readonly schemaFile?: string;
};

/** Returns the whole file. */
export function settingsText({ answers, layout, scopes, schemaFile }: SettingsTextOptions): string {
  const { issuer, clientId, host, spansTo } = answers;
  return [
    ...(schemaFile === undefined ? [] : [`# yaml-language-server: $schema=${schemaFile}`]),
    '# What Signet runs with, first written by `signet init`. Whatever is not here has its default.',
    '',
    '# The OpenID provider, and the client that it knows this installation by. The redirect URI there is',
    `# ${redirectUriOf(host)}`,
    entry('issuer', issuer),
    entry('client_id', clientId),
    entry('client_secret_file', layout.clientSecret),
    ...presetLines(issuer),
    '',
    ...scopeLines(scopes),
    '# If people, teams or roles come in claims of other names, or with a scope of their own:',
    '# claims: { user: preferred_username, team: team, roles: roles, groups: groups }',
    ...(scopes === undefined ? ['# scopes: [openid, profile, email, groups]'] : []),
    '',
    '# The record; the socket that Caddy asks at; the log that Caddy writes. Caddy must know the last two, too.',
    entry('state', layout.state),
    entry('listen', layout.socket),
    entry('access_log', layout.accessLog),
    '',
    '# Where spans go. Without any, every request is in the record all the same. For example:',
    '#   - { name: collector, profile: collector, endpoint: "https://collector.example.com:4317" }',
    `#   - { name: lightstep, profile: lightstep, token_file: ${layout.secretsFolder}/lightstep-token }`,
    `# Profiles: ${PROFILE_NAMES.join(', ')}.`,
    ...destinationLines(spansTo, layout),
    '',
  ].join('\n');
}

/** Returns where the token of a destination is kept. */
export function tokenFile({ secretsFolder }: Layout, profile: string): string {
  return `${secretsFolder}/${profile}-token`;
}

function scopeLines(scopes: readonly string[] | undefined): string[] {
  if (scopes === undefined) return [];
  return ['# Of openid, profile and email, what the provider offers.', entry('scopes', scopes), ''];
}

function destinationLines(spansTo: SpansTo, layout: Layout): string[] {
  if (spansTo.kind === 'none') return ['destinations: []'];
  if (spansTo.kind === 'collector') {
    return ['destinations:', '  - name: collector', `    ${entry('endpoint', spansTo.endpoint)}`];
  }
  const { profile, needsToken } = spansTo;
  const lines = ['destinations:', `  - name: ${profile}`, `    profile: ${profile}`];
  if (!needsToken) return lines;
  return [...lines, `    ${entry('token_file', tokenFile(layout, profile))}`];
}

// By the library, so that `yes`, `0x1` or `a: b` comes back as the text that it is.
function entry(name: string, value: string | readonly string[]): string {
  const flow = stringify(value, { lineWidth: 0, collectionStyle: 'flow' });
  return `${name}: ${flow.trimEnd()}`;
}

// A suggestion only: with it other scopes are asked for, which the client may not have yet.
function presetLines(issuer: string): string[] {
  const preset = presetFor(issuer);
  if (preset === undefined) return [];
  return [
    '# It looks like one that Signet knows by name, with the scopes and claims that it has:',
    `# preset: ${preset}`,
  ];
}
