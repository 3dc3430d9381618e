// What Caddy does with the answer of a reverse_proxy: hands it on, or runs the routes of the first `handle_response`
// that takes it. So a gate's yes goes on to the app.
import { recordAt, routesAt, type Handler } from '../edge/adapted.ts';
import { replacesStatus } from '../edge/gate-handler.ts';
import { failed } from './failed.ts';
import { all, any, no, unknown, yes, type Met } from './met.ts';
import { isHarmlessRoute, perhapsPast } from './harmless.ts';
import { recordsAt, textAt } from './parts.ts';
import { replaced } from './placeholders.ts';
import type { Ran } from './handlers.ts';
import { forked, withRequest, withRoutes, type GateAnswer, type Way } from './way.ts';

type Response = Readonly<Record<string, unknown>>;

/** Returns how it goes on behind the answer; `answer` is undefined where nothing is known of it. */
export function answeredWays<V>(
  handler: Handler,
  way: Way<V>,
  answer: GateAnswer | undefined,
): Ran<V> {
  const taken = candidates(recordsAt(handler['handle_response']), answer);
  const isSure = taken.at(-1)?.met.met === 'yes';
  // Several that may be, all of which go on and set headers: which one it is makes no difference.
  if (isSure && taken.every(({ response }) => isHarmlessResponse(response)))
    return { ways: [throughAny(taken, way)] };
  return { ways: through(taken, way) };
}

/** One that may take an answer, and whether it surely does. */
export type Candidate = { readonly response: Response; readonly met: Met };

/** Returns those that may take the answer, in order, up to the first that does for certain. */
export function candidates(
  responses: readonly Response[],
  answer: GateAnswer | undefined,
): Candidate[] {
  const tried = responses.map((response) => ({
    response,
    met: takes(recordOrNone(response['match']), answer),
  }));
  const sure = tried.findIndex(({ met }) => met.met === 'yes');
  return (sure === -1 ? tried : tried.slice(0, sure + 1)).filter(({ met }) => met.met !== 'no');
}

function through<V>([first, ...others]: readonly Candidate[], way: Way<V>): Way<V>[] {
  if (first === undefined) return [handedOn(way)];
  const { response, met } = first;
  const into = (taken: Way<V>) => intoResponse(response, taken);
  if (met.met === 'yes') return into(way);
  const settled = way.settled.get(met.why);
  const [taken, left = way] = forked(
    way,
    met.why,
    (on) => on,
    (past) => past,
  );
  if (settled === false || taken === undefined) return through(others, way);
  return settled === true ? into(way) : [...into(taken), ...through(others, left)];
}

function intoResponse<V>(response: Response, way: Way<V>): Way<V>[] {
  if (!replacesStatus(response['status_code']))
    return [withRoutes(way, routesAt(response['routes']))];
  const written = textAt(response['status_code']);
  const status = replaced(written, way.request);
  if (status !== undefined) return [withStatus(status, way)];
  const fails = (left: Way<V>) => failed('500', left);
  return forked(way, `${written} is a number`, handedOn, fails);
}

function withStatus<V>(status: string, way: Way<V>): Way<V> {
  if (!/^[+-]?\d+$/.test(status)) return failed('500', way);
  const { answer } = way;
  const isSame = Number(status) === 0 || answer?.by !== 'gate';
  return handedOn(isSame ? way : { ...way, answer: { ...answer, status: Number(status) } });
}

function handedOn<V>(way: Way<V>): Way<V> {
  return { ...way, ahead: undefined, atEnd: way.answer ?? { by: 'nothing' } };
}

function isHarmlessResponse(response: Response): boolean {
  return (
    !replacesStatus(response['status_code']) && routesAt(response['routes']).every(isHarmlessRoute)
  );
}

function throughAny<V>(taken: readonly Candidate[], way: Way<V>): Way<V> {
  const handlers = taken
    .flatMap(({ response }) => routesAt(response['routes']))
    .flatMap(({ handle = [] }) => handle);
  return withRequest(
    way,
    handlers.reduce((request, handler) => perhapsPast(handler, request), way.request),
  );
}

function recordOrNone(match: unknown): Response | undefined {
  return match === undefined || match === null ? undefined : recordAt(match);
}

function takes(match: Response | undefined, answer: GateAnswer | undefined): Met {
  if (match === undefined) return yes('any answer');
  const codes = Array.isArray(match['status_code']) ? match['status_code'].map(Number) : [];
  const headers = Object.entries(recordAt(match['headers']));
  if (answer === undefined)
    return unknown(
      `its answer is ${[...codes.map(statusWords), ...headers.map(([name]) => name)].join(', ')}`,
    );
  const { status } = answer;
  const byStatus =
    codes.length === 0 ? yes('any status') : any(codes.map((code) => ofStatus(code, status)));
  return all([byStatus, ...headers.map(([name, values]) => ofHeader(name, values, answer))]);
}

function statusWords(code: number): string {
  return code < 10 ? `${code}xx` : String(code);
}

function ofStatus(code: number, status: number): Met {
  const isMatch = code === status || (code < 10 && Math.floor(status / 100) === code);
  return isMatch ? yes(`the answer is ${status}`) : no(`the answer is ${status}`);
}

function ofHeader(name: string, values: unknown, { has, lacks }: GateAnswer): Met {
  const key = name.toLowerCase();
  const isAbsentWanted = values === null;
  if (lacks.includes(key))
    return isAbsentWanted ? yes(`it has no ${name}`) : no(`it has no ${name}`);
  if (!has.includes(key)) return unknown(`the answer ${isAbsentWanted ? 'lacks' : 'has'} ${name}`);
  if (isAbsentWanted) return no(`it has ${name}`);
  const isAny = Array.isArray(values) && (values.length === 0 || values.includes('*'));
  return isAny ? yes(`it has ${name}`) : unknown(`the answer has that ${name}`);
}
