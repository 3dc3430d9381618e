// One configuration of Caddy's, from the file to the report: asks Caddy, reads the files, hands both to the rules.
import { relative, resolve } from 'node:path';
import { visible } from '../visible.ts';
import { filesOnDisk } from '../caddyfile/on-disk.ts';
import { readCaddyfile } from '../caddyfile/read.ts';
import { secretsIn } from '../caddyfile/secrets.ts';
import type { CaddyfileTree } from '../caddyfile/tree.ts';
import { unsetIn } from '../caddyfile/unset.ts';
import { checkEdge } from '../check/check-edge.ts';
import { CODES } from '../check/codes.ts';
import type { Finding } from '../check/finding.ts';
import type { Report } from '../check/report.ts';
import type { EdgeSettings } from '../check/rule.ts';
import { createLocate } from '../check/source-line.ts';
import { readAdapted } from '../edge/adapted.ts';
import type { CaddyHere } from '../edge/find-here.ts';
import { adaptTold } from './adapt-told.ts';
import { caddyEnvironment } from './caddy-environment.ts';

/** What is checked, and with what. */
export type CheckRequest = {
  readonly path: string;
  /** The Caddyfile's `{$NAME}` are those of it, and then those of the files. */
  readonly env: NodeJS.ProcessEnv;
  readonly envFiles: readonly string[];
  /** Undefined where there is none; JSON can be checked all the same. */
  readonly caddy: CaddyHere | undefined;
  /** Of the sidecar; undefined where there are none. */
  readonly settings: EdgeSettings | undefined;
  /** Why there are none, if there should be. */
  readonly settingsProblem?: string | undefined;
};

const NO_SETTINGS =
  'Whether the log is the file that the sidecar reads, whether others can reach its address, and whether the names ' +
  'behind idp: exist was not looked at';
const NO_VERSION = 'Which Caddy this is for is not known: whether it is safe was not looked at.';

/** Returns the report, or a sentence that says why there is none. Never throws for what stands in the files. */
export async function checkFile(
  request: CheckRequest,
): Promise<Report | { readonly problem: string }> {
  const env = caddyEnvironment(request.env, request.envFiles);
  if ('problem' in env) return env;
  const { path, caddy, settings } = request;
  const adapted = await adaptTold({
    path,
    caddy: caddy?.path,
    env: request.env,
    envFiles: request.envFiles,
    allEnv: env.env,
  });
  if ('problem' in adapted) return adapted;
  const read = readAdapted(adapted.json);
  if ('problem' in read) return { problem: visible(`${path}: ${read.problem}`) };
  const source = treeOf(path, adapted.isJson, env.env);
  const tree = 'tree' in source ? source.tree : undefined;
  const locate = tree && createLocate({ tree, json: JSON.parse(adapted.json), isShipped });
  const findings = checkEdge(read, {
    caddy: caddy?.version,
    settings,
    env: env.env,
    tree,
    ...(locate && { locate }),
  });
  return {
    file: path,
    caddy: caddy?.version?.text,
    findings: [...findings.filter(isKept(tree)), ...unset(tree, env.env), ...secrets(tree)].map(
      named,
    ),
    notLookedAt: [...notLookedAt(request), ...('problem' in source ? [source.problem] : [])],
    warnings: adapted.warnings,
  };
}

// Of JSON there is no source, and secrets in it can't be told from what the environment gave.
function treeOf(
  path: string,
  isJson: boolean,
  env: NodeJS.ProcessEnv,
): { readonly tree: CaddyfileTree } | { readonly problem: string } {
  if (isJson) return { problem: 'It is JSON: no lines are told, and secrets were not looked for.' };
  const read = readCaddyfile({ path: resolve(path), env, ...filesOnDisk });
  if ('tree' in read) return read;
  const { message } = read.problem;
  return { problem: visible(`No lines are told, and secrets were not looked for: ${message}.`) };
}

const SHIPPED = /(?:^|\/)signet\.caddy$/;

function isShipped(file: string): boolean {
  return SHIPPED.test(file);
}

// In the configuration what came from the environment looks like what was written out; the source knows better.
function isKept(tree: CaddyfileTree | undefined): (finding: Finding) => boolean {
  return ({ code }) => tree === undefined || code !== 'secret-in-file';
}

function secrets(tree: CaddyfileTree | undefined): Finding[] {
  const code = 'secret-in-file';
  const places = tree === undefined ? [] : secretsIn(tree);
  return places.map(({ file, line, kind }) => ({
    ...CODES[code],
    code,
    where: { pointer: '', hosts: [], path: [] },
    seen: `${/^[aeiou]/.test(kind) ? 'An' : 'A'} ${kind.replaceAll('-', ' ')} is written out.`,
    source: { file, line },
  }));
}

function unset(tree: CaddyfileTree | undefined, env: NodeJS.ProcessEnv): Finding[] {
  const code = 'variable-unset';
  return (tree?.files ?? []).flatMap((file) =>
    unsetIn(filesOnDisk.readFile(file) ?? '', env).map(({ name, line }) => ({
      ...CODES[code],
      code,
      where: { pointer: '', hosts: [], path: [] },
      seen: visible(`{$${name}} is not set here, and has no default`),
      source: { file, line },
    })),
  );
}

// As one would type it: from here, where it is below here.
function named(finding: Finding): Finding {
  if (finding.source === undefined) return finding;
  const path = relative('', finding.source.file);
  const file = path.startsWith('..') ? finding.source.file : path;
  return { ...finding, source: { ...finding.source, file } };
}

function notLookedAt({ caddy, settings, settingsProblem }: CheckRequest): string[] {
  const why = (settingsProblem ?? 'there are no settings of the sidecar here').replace(/\.$/, '');
  return [
    ...(settings === undefined ? [`${NO_SETTINGS}: ${why}.`] : []),
    ...(caddy?.version === undefined ? [NO_VERSION] : []),
  ];
}
