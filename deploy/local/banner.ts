// What `npm start` says first: where to click, as whom, and what to type. Words only.
import { relative } from 'node:path';
import { editableFile, environmentFile } from './own-config.ts';
import { AGENT, PEOPLE } from './people.ts';
import { authorityFile, SIGNET, spansFile } from './programs.ts';
import type { Running } from './stack.ts';

/** Returns the banner. Paths are relative to `cwd`; `bold` marks what can be clicked or typed. */
export function banner(
  { app, issuer, folder, health }: Running,
  cwd: string,
  bold: (text: string) => string,
): string {
  const ca = nearest(cwd, authorityFile(folder));
  const signet = (command: string) => bold(`npm run -s signet -- ${command}`);
  const state = `--state ${nearest(cwd, folder)}`;
  const settings = `--env-file=${nearest(cwd, environmentFile(folder))}`;
  const program = `${nearest(cwd, process.execPath)} ${settings} ${nearest(cwd, SIGNET)}`;
  const doctor = `${program} doctor ${app}/orders --ca ${ca}`;
  const people = PEOPLE.map(({ login, team }) => `${login} (${team ?? 'no team'})`).join(', ');
  return `
  Signet is up.

  Click   ${bold(`${app}/`)}   (your browser does not know its certificate yet: go on)
  As      ${people}; any password

  Curl    ${bold(`curl --cacert ${ca} ${app}/public/`)}
  Bearer  ${bold(`TOKEN=$(curl -s -u ${AGENT.clientId}:${AGENT.secret} -d grant_type=client_credentials ${issuer}/token | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`)}
          ${bold(`curl --cacert ${ca} -H "Authorization: Bearer $TOKEN" ${app}/orders`)}

  Ask     ${signet(`audit ${state} --user alice`)}
          ${signet(`audit ${state} show <request or trace id>`)}
          ${signet(`audit verify ${state}`)}
  Spans   ${nearest(cwd, spansFile(folder))}
  State   ${signet(`status --health ${health}`)}
          ${bold(`curl http://${health}/metrics`)}
  Doctor  ${bold(doctor)}
  Steer   ${nearest(cwd, editableFile(folder))}: sampling, budgets, more destinations; edit it, it is taken over within seconds

  Ctrl-C stops everything. From here on a line per request:
`;
}

/** Returns a path as short as it goes from `cwd`, for a shell to read. */
export function nearest(cwd: string, path: string): string {
  const way = relative(cwd, path);
  const nearer = way === '' || way.startsWith('..') ? path : way;
  return /^[\w./-]+$/.test(nearer) ? nearer : `'${nearer}'`;
}
