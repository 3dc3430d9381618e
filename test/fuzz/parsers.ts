// The fuzzing of all that reads a text of somebody else's: so many texts from one seed for each parser. The first that
// breaks a property is made as small as can be, and thrown.
import { createRandom, type Random } from '../fixtures/random.ts';
import { CLAIMS } from './claims-properties.ts';
import { COOKIE } from './cookie-properties.ts';
import { FORM_BODY, logoutTokenSubject } from './form-properties.ts';
import { slowestOf, type Slowest } from './linear-time.ts';
import { mutatedText } from './mutate-text.ts';
import type { Tally } from './properties.ts';
import { QUERY } from './redact-properties.ts';
import { REQUIREMENT } from './requirement-properties.ts';
import { RETURN_URL } from './return-url-properties.ts';
import { shrinkText } from './shrink.ts';
import { isPolluted, type Subject } from './subject.ts';
import { BAGGAGE, TRACEPARENT, TRACESTATE } from './trace-properties.ts';

/** All of them but the log line and the stamp, which fuzz.ts has. */
export const SUBJECTS: readonly Subject[] = [
  ...[TRACEPARENT, TRACESTATE, BAGGAGE, COOKIE, REQUIREMENT, RETURN_URL, CLAIMS, QUERY, FORM_BODY],
  await logoutTokenSubject(),
];

/** Texts of one parser before the next has its turn. */
const AT_ONCE = 500;

/** Checks so many texts of each parser; throws the smallest one that is found to break a property. */
export async function fuzzParsers(options: {
  readonly countOfEach: number;
  readonly seed: number;
  readonly subjects?: readonly Subject[];
  readonly onProgress?: (inputs: number) => void;
}): Promise<{ readonly inputs: number; readonly tally: Tally }> {
  const { countOfEach, seed, subjects = SUBJECTS, onProgress } = options;
  const random = createRandom(seed);
  const tally: Tally = {};
  let inputs = 0;
  for (let done = 0; done < countOfEach; done += AT_ONCE) {
    for (const subject of subjects) {
      const times = Math.min(AT_ONCE, countOfEach - done);
      await checkTexts(subject, times, random, tally);
      onProgress?.((inputs += times));
    }
  }
  return { inputs, tally };
}

async function checkTexts(
  subject: Subject,
  times: number,
  random: Random,
  tally: Tally,
): Promise<void> {
  for (let done = 0; done < times; done++) {
    const text = mutatedText(subject, random);
    const fault = await faultOf(subject, text, tally);
    if (fault !== undefined) await fail(subject, text, fault);
  }
}

async function faultOf(subject: Subject, text: string, tally: Tally): Promise<string | undefined> {
  try {
    const fault = await subject.faultOf(text, tally);
    return fault ?? (isPolluted() ? 'a prototype changed' : undefined);
  } catch (error) {
    return `it threw ${String(error)}`;
  }
}

async function fail(subject: Subject, text: string, fault: string): Promise<never> {
  const isFailing = async (shorter: string) => (await faultOf(subject, shorter, {})) !== undefined;
  const smallest = await shrinkText(text, isFailing);
  const said = (await faultOf(subject, smallest, {})) ?? fault;
  throw new Error(`${subject.name}: ${said}\n  ${JSON.stringify(smallest)}`);
}

/** As long as all headers of a request together; ten times as much is more than any may be. */
const SHORT_BYTES = 7_000;

/** Returns the slowest of them. Throws when one is not linear. */
export function checkLinearParsers(subjects: readonly Subject[] = SUBJECTS): Slowest {
  return slowestOf((see) => {
    for (const { name, work, units, frames = [(filler: string) => filler] } of subjects) {
      if (work === undefined) continue;
      for (const [number, frame] of frames.entries()) {
        for (const unit of units) see(`${name} (${number})`, (text) => work(frame(text)), unit);
      }
    }
  }, SHORT_BYTES);
}
