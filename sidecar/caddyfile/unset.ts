// `{$NAME}` of a Caddyfile's text that nothing fills in: not set, and without a default.
import type { Environment } from './environment.ts';

export type Unset = {
  readonly name: string;
  /** From 1. */
  readonly line: number;
};

/** Returns them in the order of the text, but for those in comments, which Caddy fills in and reads no more. */
export function unsetIn(text: string, env: Environment): readonly Unset[] {
  const lines = text.split('\n').map((line) => line.replace(/(?:^|(?<=\s))#.*/, ''));
  return lines.flatMap((code, index) =>
    [...code.matchAll(/\{\$([^{}:\s]+)\}/g)].flatMap(([, name = '']) =>
      Object.hasOwn(env, name) && env[name] !== undefined ? [] : [{ name, line: index + 1 }],
    ),
  );
}
