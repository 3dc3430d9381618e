// The second half of `signet init`: all is known, and files are placed; what is left to do is told.
import type { Answers } from '../setup/answers.ts';
import type { Layout } from '../setup/layout.ts';
import { tellOf } from '../setup/next-steps.ts';
import { findSchema, readSnippet, unitsFolder } from '../setup/package-files.ts';
import { findGroup, hasContent, makeFolders, placeFile } from '../setup/place-files.ts';
import { plannedFiles, tokenFiles } from '../setup/planned-files.ts';

export type Installation = {
  readonly answers: Answers;
  readonly layout: Layout;
  readonly scopes?: readonly string[];
  readonly program: string;
};

const DEFAULT_SCOPES = ['openid', 'profile', 'email'];

/** Places all files, and returns what to tell of it, and whether all of them are as they should be. */
export function install({ answers, layout, scopes, program }: Installation): {
  told: string;
  isComplete: boolean;
} {
  const schemaFile = findSchema();
  const files = plannedFiles({
    answers,
    layout,
    snippet: readSnippet(),
    ...(scopes && { scopes }),
    ...(schemaFile !== undefined && { schemaFile }),
  });
  const groupId = layout.kind === 'system' ? findGroup('signet') : undefined;
  makeFolders(layout.folders, groupId);
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
    scopes: scopes ?? DEFAULT_SCOPES,
  });
  return { told, isComplete: placed.every(({ became }) => became !== 'beside') };
}
