// What is told of a file that the client's secret can't be copied from. Its name may be the secret itself, in
// place of a file. Opens nothing.
import { explain } from '../fault.ts';

/** Returns why it can't be read; what looks like no path is not quoted. */
export function unreadable(path: string, error: unknown): { readonly problem: string } {
  if (path === '-' || /^(~|\.{0,2})\/[^\n=]*$/.test(path)) return { problem: explain(error) };
  return {
    problem: `a text of ${path.length} characters that names no file that can be read; it is not shown, as it may be the secret (a file's name may begin with ./)`,
  };
}
