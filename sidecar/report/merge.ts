// Several sorted streams as one. Pure; no more than one item of each is held.

/** Yields the items of all sources, of which each is in order already, in that order. */
export async function* merged<T>(
  sources: readonly AsyncGenerator<T>[],
  isBefore: (one: T, other: T) => boolean,
): AsyncGenerator<T> {
  const [only, another] = sources;
  if (only !== undefined && another === undefined) {
    yield* only;
    return;
  }
  const heads = new Map<AsyncGenerator<T>, T>();
  for (const source of sources) await advance(heads, source);
  while (heads.size > 0) {
    let least: [AsyncGenerator<T>, T] | undefined;
    for (const each of heads) {
      if (least === undefined || isBefore(each[1], least[1])) least = each;
    }
    if (least === undefined) return;
    const [source, item] = least;
    yield item;
    await advance(heads, source);
  }
}

async function advance<T>(
  heads: Map<AsyncGenerator<T>, T>,
  source: AsyncGenerator<T>,
): Promise<void> {
  const { done, value } = await source.next();
  if (done) heads.delete(source);
  else heads.set(source, value);
}
