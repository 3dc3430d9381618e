// Makes a failing request small: lines are left out, then signs of its first line, as long as the same rule is broken.
import type { Trial } from './request-grammar.ts';
import { shrinkText } from './shrink.ts';

type IsFailing = (trial: Trial) => Promise<boolean>;

/** Returns the smallest request found that `isFailing`. What is left out makes its framing another: `most` goes, too. */
export async function shrinkTrial(
  { by, text }: Trial,
  isStillFailing: IsFailing,
  withinMs = 20_000,
): Promise<Trial> {
  const deadline = Date.now() + withinMs;
  const isFailing: IsFailing = async (trial) => Date.now() < deadline && isStillFailing(trial);
  const of = (shorter: string): Trial => ({ by, text: shorter });
  if (!(await isFailing(of(text)))) return of(text);
  const end = by === 'h2' ? '\n' : '\r\n';
  let lines = text.split(end);
  // From the last, so that a body goes before the head whose framing it has; the trial's own mark stays.
  for (let at = lines.length - 1; at > 0; at--) {
    const fewer = lines.filter((line, index) => index !== at || /^x-trial|^$/i.test(line));
    if (fewer.length < lines.length && (await isFailing(of(fewer.join(end))))) lines = fewer;
  }
  const [first = '', ...rest] = lines;
  const whole = (line: string) => of([line, ...rest].join(end));
  const smallest = await shrinkText(first, (line) => isFailing(whole(line)), 150);
  return whole(smallest);
}
