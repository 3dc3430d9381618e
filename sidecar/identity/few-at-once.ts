// Questions of which only a few are asked at once: the others wait outside, in the order in which they came. Knows neither
// what is asked nor how many may wait.

/** At once, or when it is there. */
type Awaitable<T> = T | Promise<T>;

/** Returns what asks, so many at once: at once where there is room and the answer is at hand. */
export function createFewAtOnce(max: number) {
  const waiting: (() => void)[] = [];
  let underWay = 0;

  function ask<T>(question: () => Awaitable<T>): Awaitable<T> {
    if (underWay >= max) return new Promise<void>(enqueue).then(() => begin(question));
    underWay++;
    return begin(question);
  }

  // Its place is taken already: by who came, or for who waited.
  function begin<T>(question: () => Awaitable<T>): Awaitable<T> {
    try {
      const answer = question();
      if (answer instanceof Promise) return answer.finally(leave);
      leave();
      return answer;
    } catch (error) {
      leave();
      throw error;
    }
  }

  function enqueue(resolve: () => void): void {
    waiting.push(resolve);
  }

  // The place goes over to the next, so that nobody who comes meanwhile takes it.
  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) underWay--;
    else next();
  }

  return ask;
}
