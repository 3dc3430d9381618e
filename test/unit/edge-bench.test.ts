// The benchmark's pure pieces: what h2load printed, spans counted without decoding, targets judged.
import { describe, expect, test } from '@jest/globals';
import type { EdgeReport } from '../bench/edge.ts';
import { wrongIn } from '../bench/edge-evidence.ts';
import { ratioOf, perSecond } from '../bench/edge-ratios.ts';
import type { Figure } from '../bench/edge-run.ts';
import { attributeBytes, countBytes, countSpans } from '../bench/edge-spans.ts';
import { targetsOf } from '../bench/edge-targets.ts';
import { parseLoad } from '../bench/load.ts';

const PRINTED = `starting benchmark...
Application protocol: http/1.1
progress: 100% done

finished in 749.77ms, 26674.85 req/s, 3.46MB/s
requests: 20000 total, 20000 started, 20000 done, 19990 succeeded, 10 failed, 0 errored, 0 timeout
status codes: 19990 2xx, 0 3xx, 10 4xx, 0 5xx
traffic: 2.59MB (2720000) total, 1.83MB (1920000) headers (space savings 0.00%), 97.66KB (100000) data
0m0.00s 0m0.00s
0m1.25s 0m0.50s
`;

describe('what h2load prints', () => {
  test('is read into what was asked and what was answered', () => {
    expect(parseLoad(PRINTED)).toEqual({
      requests: 20_000,
      succeeded: 19_990,
      perSecond: 26_674.85,
      protocol: 'http/1.1',
      bodyBytes: 100_000,
      cpuUs: 1_750_000,
    });
  });

  test('is an error when a figure is missing', () => {
    expect(() => parseLoad(PRINTED.replace('status codes', 'codes'))).toThrow('status codes');
  });
});

describe('spans in an export request', () => {
  const field = (number: number, content: Buffer) =>
    Buffer.concat([Buffer.from([(number << 3) | 2]), lengthOf(content), content]);
  const lengthOf = ({ length }: Buffer) =>
    Buffer.from(length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7]);
  const span = (user: string) => field(2, field(9, attributeBytes('user.id', user)));
  const scope = (...spans: Buffer[]) =>
    field(2, Buffer.concat([field(1, Buffer.from('s')), ...spans]));
  const resource = (...scopes: Buffer[]) => field(1, Buffer.concat(scopes));

  test('are counted over all resources and scopes', () => {
    const many = Array.from({ length: 20 }, () => span('alice'));
    const message = Buffer.concat([
      resource(scope(...many), scope(span('bob'))),
      resource(scope(span('bob'))),
    ]);
    expect(countSpans(message)).toBe(22);
  });

  test('are counted by user', () => {
    const message = resource(scope(span('alice'), span('bob'), span('alice'), span('alicea')));
    expect(countBytes(message, attributeBytes('user.id', 'alice'))).toBe(2);
  });
});

describe('evidence of a load', () => {
  const arrived = { rowsMs: 1, spansMs: 1, rows: 10, rowsOfUser: 10, spans: 30, spansOfUser: 30 };

  test('is right with a row and three spans of the user for each request', () => {
    expect(wrongIn(arrived, 10)).toBeUndefined();
  });

  test.each(['rows', 'rowsOfUser', 'spans', 'spansOfUser'] as const)(
    'is wrong with one of %s too few',
    (name) => {
      expect(wrongIn({ ...arrived, [name]: arrived[name] - 1 }, 10)).toContain(
        String(arrived[name] - 1),
      );
    },
  );
});

describe('ratios and targets', () => {
  const figure = (variant: string, round: number, rate: number): Figure => ({
    variant,
    round,
    requests: 1000,
    perSecond: rate,
    sustainedPerSecond: rate,
    cpu: { edge: 1e6 / rate },
  });
  const figures = [
    figure('L1', 0, 1000),
    figure('L2', 0, 900),
    figure('L1', 1, 500),
    figure('L2', 1, 400),
    figure('L1', 2, 800),
  ];
  const report = {
    figures,
    latency: [],
    outage: [],
    skipped: [],
    faults: [],
  } as unknown as EdgeReport;
  const targetNamed = (what: string) =>
    targetsOf(report, 4.6).find((target) => target.what === what);

  test('a ratio is made within each round that has both', () => {
    const ratio = ratioOf(figures, ['L2', perSecond], ['L1', perSecond]);
    expect(ratio).toEqual({ median: 0.9, min: 0.8, max: 0.9 });
  });

  test('a target is met when its median is within the limit', () => {
    expect(targetNamed('requests/s: L2 ÷ L1')).toMatchObject({ isMet: true });
  });

  test('what was not measured is neither met nor missed', () => {
    expect(targetNamed('requests/s: everything on ÷ L2')).not.toHaveProperty('isMet');
  });
});
