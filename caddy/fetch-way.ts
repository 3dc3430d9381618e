// One way of getting Caddy onto this machine: what each of them is given, and what it gives.

export type FetchWay = {
  readonly name: string;
  /** Returns the path of the program, which lies inside `folder`; throws an Error that says why not. */
  fetch(options: FetchOptions): Promise<string>;
};

export type FetchOptions = {
  /** What is started gets all of it. */
  readonly env: NodeJS.ProcessEnv;
  /** Hears what is done, and that it is still going on. */
  readonly say: (line: string) => void;
  /** An empty folder of its own. */
  readonly folder: string;
};
