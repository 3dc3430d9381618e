// What is left to people after the files are there, in words and in commands that can be copied. Pure.
import type { Answers } from './answers.ts';
import { hasSocket, KEEPALIVE_OFF } from './caddy-text.ts';
import { authorityOf, isTrial, redirectUriOf } from './host.ts';
import type { Layout } from './layout.ts';
import type { Placed } from './place-files.ts';
import { presetFor } from './preset.ts';
import type { Meant } from './rights.ts';

export type Standing = {
  readonly answers: Answers;
  readonly layout: Layout;
  readonly placed: readonly Placed[];
  /** Files of secrets that nothing is in yet. */
  readonly empty: readonly string[];
  /** What others may read or write, and should not. */
  readonly open: readonly Meant[];
  /** What the group `signet` can't read, and should. */
  readonly closed: readonly Meant[];
  /** Whether there is a group `signet` that files could be given to. */
  readonly hasGroup: boolean;
  /** Where the units of systemd lie in the package. */
  readonly unitsFolder: string;
  /** How this program is called in a shell. */
  readonly program: string;
  /** By what scopes people sign in. */
  readonly scopes: readonly string[];
  /** Whether the provider announces the scope `offline_access`. */
  readonly hasOfflineAccess: boolean;
};

/** Returns all that is to be told, with a newline at the end. */
export function tellOf(standing: Standing): string {
  return [files(standing), atProvider(standing), nextSteps(standing)].join('\n');
}

const BECAME: Readonly<Record<Placed['became'], string>> = {
  written: 'written',
  kept: 'left as it is',
  given: 'left as it is, and given to the group signet',
  beside:
    'is there and differs: left as it is; the new text is beside it, with .new behind its name',
  held: 'is there and differs, and so does the one with .new behind its name: both left as they are',
};

function files({ placed }: Standing): string {
  const width = Math.max(...placed.map(({ path }) => path.length));
  return placed.map(({ path, became }) => `${path.padEnd(width)}  ${BECAME[became]}\n`).join('');
}

function atProvider(standing: Standing): string {
  const { answers, scopes } = standing;
  return `At the provider, the client ${answers.clientId} needs:
  redirect URI  ${redirectUriOf(answers.host)}
  type          confidential (a web application with a secret); authorization code flow, with PKCE (S256)
  scopes        ${scopes.join(' ')}
  claims        in the ID token or at userinfo: preferred_username (or a verified email); for who may do
                what: team, or groups that begin with team-; roles. Other names: \`claims\` in signet.yaml
${rechecks(standing)}`;
}

// Keycloak announces the scope too, and gives a refresh token without it; with it one that outlives signing out.
function rechecks({ answers, scopes, hasOfflineAccess }: Standing): string {
  if (!hasOfflineAccess || presetFor(answers.issuer) === 'keycloak') return '';
  return `  re-checks     so that whoever is removed there is out here within ten minutes, sign in by one scope more,
                \`scopes: [${[...scopes, 'offline_access'].join(', ')}]\` in signet.yaml, and allow
                the client refresh tokens there (the grant type refresh_token, and that scope)
`;
}

function nextSteps(standing: Standing): string {
  const steps = [...mending(standing), ...starting(standing)];
  return `Then:\n${steps.map((step, at) => `  ${at + 1}. ${step}\n`).join('')}`;
}

function mending(standing: Standing): string[] {
  const { placed, empty, layout, hasGroup, unitsFolder } = standing;
  const beside = placed.filter(({ became }) => became === 'beside');
  const held = placed.filter(({ became }) => became === 'held');
  const units = `Install the units in ${unitsFolder} (deploy/README.md says how): they make user and group.`;
  return [
    ...beside.map(({ path }) => bringOver(path, layout)),
    ...held.map(({ path }) => `Take ${path}.new away, or to where it belongs, and run this again.`),
    ...standing.open.map(shut),
    ...standing.closed.map(
      ({ path, mode }) => `chgrp signet ${path} && chmod ${octal(mode)} ${path}`,
    ),
    ...empty.map((path) => `Write the secret into ${path}, one line (it is empty now).`),
    ...(layout.kind === 'system' && !hasGroup ? [units, giveToGroup(layout, placed)] : []),
  ];
}

function shut({ path, mode, isSecret }: Meant): string {
  const command = `chmod ${octal(mode)} ${path}`;
  if (!isSecret) return `Everybody on this machine may write to ${path}:  ${command}`;
  return `Everybody on this machine may get at the secret in ${path}:  ${command}  and change the secret at its source.`;
}

function octal(mode: number): string {
  return mode.toString(8);
}

// A secret is not shown on a terminal.
function bringOver(path: string, { clientSecret }: Layout): string {
  if (path !== clientSecret) return `Bring over what you want:  diff -u ${path} ${path}.new`;
  return `Another secret is in ${path} than the one given now (${path}.new): keep the right one.`;
}

// Only the files that the sidecar reads have rights for a group.
function giveToGroup(
  { settings, clientSecret, folders }: Layout,
  placed: readonly Placed[],
): string {
  const tokens = placed.map(({ path }) => path).filter((path) => path.endsWith('-token'));
  const own = [settings, clientSecret, ...tokens].join(' ');
  const shared = folders.flatMap(({ path, isShared }) => (isShared ? [path] : [])).join(' ');
  return `chgrp signet ${shared} ${own} && chmod 640 ${own}`;
}

function starting({ answers, layout, program }: Standing): string[] {
  const { host, app } = answers;
  const open = `Open https://${authorityOf(host)}/`;
  if (layout.kind === 'system') {
    const gateway = `Tell Caddy's unit, if Caddy is older than 2.11.5:  Environment=${KEEPALIVE_OFF}`;
    return [
      ...(hasSocket(app) ? [gateway] : []),
      'systemctl enable --now signet',
      'systemctl restart caddy',
      open,
    ];
  }
  const folder = layout.secretsFolder;
  return [
    `cd ${folder} && ${program} serve`,
    `In a second terminal, with Caddy 2.11.4 or later:\n     cd ${folder} && caddy run --envfile caddy.env${lowPorts(answers)}`,
    isTrial(host) ? `${open} (Caddy's own certificate: your browser will ask)` : open,
    `cd ${folder} && ${program} audit`,
  ];
}

// A port without rights for it is the first thing that goes wrong, and Caddy's certificate needs port 80 or 443.
function lowPorts({ host }: Answers): string {
  const needsLow = !isTrial(host) || (host.port ?? 443) < 1024;
  if (!needsLow) return '';
  return '\n     (ports below 1024 are root\'s unless:  sudo setcap cap_net_bind_service=+ep "$(command -v caddy)")';
}
