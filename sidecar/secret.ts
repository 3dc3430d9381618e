// A value that cannot be printed: not by a template, JSON, a logger or the inspector.
import { inspect } from 'node:util';

export type Secret = {
  /** The value itself. Call it where the value is used, and nowhere else. */
  reveal(): string;
};

/** Returns a `Secret` that shows itself as `[secret]` however it is printed. */
export function secret(value: string): Secret {
  const hidden = () => '[secret]';
  return Object.freeze({
    reveal: () => value,
    toString: hidden,
    toJSON: hidden,
    [inspect.custom]: hidden,
  });
}
