// The second half of `signet init`: all is known, and files are placed; what is left to do is told. And what
// of the disk forbids that, which is asked before any question.
import type { Answers } from '../setup/answers.ts';
import type { Layout } from '../setup/layout.ts';
import { tellOf } from '../setup/next-steps.ts';
import { findSchema, readSnippet, unitsFolder } from '../setup/package-files.ts';
import { findGroup, makeFolders, modeOf, placeFile } from '../setup/place-files.ts';
import type { Placed, PlannedFile } from '../setup/place-files.ts';
import { plannedFiles, tokenFiles } from '../setup/planned-files.ts';
import { closedToGroup, type Meant, openToOthers } from '../setup/rights.ts';
import { dangerOf } from '../setup/safe-folder.ts';
import { hasContent, obstaclesAt } from '../setup/there.ts';

export type Installation = {
  readonly answers: Answers;
  readonly layout: Layout;
  readonly scopes?: readonly string[];
  readonly hasOfflineAccess?: true;
  readonly program: string;
  readonly isRoot: boolean;
};

const DEFAULT_SCOPES = ['openid', 'profile', 'email'];

/** Returns a sentence for each thing on the disk for which nothing may be written, or can be. */
export function obstaclesTo(layout: Layout, isRoot: boolean): string[] {
  const { settings, clientSecret, snippet, caddyfile, caddyEnv } = layout;
  const files = [settings, clientSecret, snippet, caddyfile, ...(caddyEnv ? [caddyEnv] : [])];
  return [...(isRoot ? dangersTo(layout) : []), ...obstaclesAt(files)];
}

// Whoever isn't root can harm nobody but himself.
function dangersTo({ folders }: Layout): string[] {
  const dangers = folders.map(({ path }) => dangerOf(path, 0)).filter((danger) => danger);
  return [...new Set(dangers)].map(
    (danger) => `${danger}: root writes only where all folders on the way are its own`,
  );
}

/**
 * Places all files, and returns what to tell of it, and whether all of them are as they should be. Where
 * something has come in the way since it was asked for, nothing is placed.
 */
export function install(
  installation: Installation,
): { told: string; isComplete: boolean } | { obstacles: readonly string[] } {
  const { answers, layout, scopes, hasOfflineAccess = false, program, isRoot } = installation;
  const files = plannedFor(installation);
  const groupId = layout.kind === 'system' ? findGroup('signet') : undefined;
  makeFolders(layout.folders, groupId);
  const obstacles = obstaclesTo(layout, isRoot);
  if (obstacles.length > 0) return { obstacles };
  const placed = files.map((file) => placeFile(file, groupId));
  const secrets = [layout.clientSecret, ...tokenFiles(answers, layout)];
  const told = tellOf({
    answers,
    layout,
    placed,
    program,
    unitsFolder: unitsFolder(),
    empty: secrets.filter((path) => !hasContent(path)),
    hasGroup: groupId !== undefined,
    ...rightsOf(files, layout, groupId),
    scopes: scopes ?? DEFAULT_SCOPES,
    hasOfflineAccess,
  });
  return { told, isComplete: placed.every(({ became }) => !LEFT_TO_YOU.includes(became)) };
}

const LEFT_TO_YOU: readonly Placed['became'][] = ['beside', 'held'];

function plannedFor({ answers, layout, scopes }: Installation): PlannedFile[] {
  const schemaFile = findSchema();
  return plannedFiles({
    answers,
    layout,
    snippet: readSnippet(),
    ...(scopes && { scopes }),
    ...(schemaFile !== undefined && { schemaFile }),
  });
}

function rightsOf(files: readonly PlannedFile[], { folders }: Layout, groupId: number | undefined) {
  const meant = files.map((file) => ({ ...file, mode: modeOf(file, groupId) }));
  const shared = [...folders, ...files].filter(({ isShared }) => isShared);
  return {
    open: openToOthers<Meant>([...folders, ...meant]),
    closed: groupId === undefined ? [] : closedToGroup<Meant>(shared, groupId),
  };
}
