// The names of the headers that go with what a destination gets. Their values are nobody's to see.
import { createCredentials } from '../otlp/credentials.ts';
import type { DeclaredName } from './declared.ts';
import type { Destination } from '../otlp/destination.ts';

export type HeaderNames = {
  readonly names: readonly string[];
  /** Not where a file with credentials can't be read: then they are those that are known without. */
  readonly areAll: boolean;
};

/** Returns them as they are now: it looks at the destination's files. */
export function headerNames(destination: Destination): HeaderNames {
  const { headers, tokenFile } = destination;
  const sent = createCredentials(destination).read();
  if (sent !== undefined) return { names: Object.keys(sent), areAll: true };
  const names = [...Object.keys(headers), ...(tokenFile === undefined ? [] : [tokenFile.header])];
  return { names, areAll: false };
}

/** Returns the same as declared names: what the configuration has added. */
export function declaredHeaders(destination: Destination): DeclaredName[] {
  const { names } = headerNames(destination);
  const where = `to ${destination.name}`;
  return destination.signals.flatMap((signal) =>
    names.map((name): DeclaredName => {
      return { signal, kind: 'header', where, name, isPersonal: false };
    }),
  );
}
