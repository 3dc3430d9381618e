// What a Caddyfile says, with everything imported: sites, their directives, and where each of them stands.
import type { Address } from './address.ts';
import type { Import, Place } from './token.ts';

/** An argument, with the place of its own text: of `{args[0]}` that is the line that gave it. */
export type Word = Place & {
  readonly text: string;
  readonly quoted: boolean;
  /** Some of it came from `{$NAME}`, or from its default. */
  readonly fromEnvironment: boolean;
};

/** A line and its block: a directive, one of its subdirectives, or a matcher's definition. */
export type Directive = Place & {
  readonly name: string;
  readonly args: readonly Word[];
  /** The lines of its block, in the order of the file; empty without one. */
  readonly block: readonly Directive[];
  /** The `import` that brought it here, when it doesn't stand here itself. */
  readonly importedAt?: Import;
};

export type Site = Place & {
  readonly addresses: readonly Address[];
  readonly directives: readonly Directive[];
  readonly importedAt?: Import;
};

export type Named = Place & {
  readonly name: string;
  readonly directives: readonly Directive[];
  readonly importedAt?: Import;
};

export type CaddyfileTree = {
  /** The file that was asked for. */
  readonly file: string;
  /** The global options, if there are any. */
  readonly global?: Named;
  readonly sites: readonly Site[];
  readonly namedRoutes: readonly Named[];
  /** As they are defined: with nothing imported, and no argument filled in. */
  readonly snippets: readonly Named[];
  /** Every file that was read, in that order. */
  readonly files: readonly string[];
};
