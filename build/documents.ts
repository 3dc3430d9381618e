// The documents as the package has them: they are the repository's, without links to what isn't in the
// package, and README says at its top what is different for who has installed it.
import { posix } from 'node:path';

const INSTALLED = `> This is the installed package. Where the documents say \`npm run -s signet --\` or \`node bin/signet.js\`, it is
> \`signet\`; \`npm start\`, \`npm run …\`, tests and benchmarks are in the repository, and so is what they name.`;

export type Document = {
  /** Relative to the package, with `/`. */
  readonly file: string;
  readonly text: string;
  /** What is in the package. */
  readonly files: readonly string[];
};

/** Returns a document's text for the package. */
export function packageDocument(document: Document): string {
  const text = withoutDeadLinks(document);
  if (document.file !== 'README.md') return text;
  return text.replace(/^(# .*\n)/, (title) => `${title}\n${INSTALLED}\n`);
}

/** Returns its text with each link to a file that isn't there as the words of that link alone. */
export function withoutDeadLinks({ file, text, files }: Document): string {
  const isThere = (target: string) => {
    const path = posix.join(posix.dirname(file), target.replace(/#.*/, ''));
    return files.includes(path) || files.some((each) => each.startsWith(`${path}/`));
  };
  return text.replaceAll(/\[([^\]]+)\]\(([^)\s]+)\)/g, (link, words: string, target: string) => {
    const isOurs = !/^(?:[a-z]+:|#)/.test(target);
    return isOurs && !isThere(target) ? words : link;
  });
}
