// Bounds on what a line of the log can make grow, and on what is made of it, each tried below, at and above. All bounds:
// test/fixtures/limits.ts.
import { createSecretKey, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  MAX_BATCH_BYTES,
  MAX_BATCH_LINES,
  MAX_LINE_BYTES,
} from '../../sidecar/accesslog/follow.ts';
import { parseLine, type Entry } from '../../sidecar/accesslog/line.ts';
import { MAX_HEAD_BYTES, setAsideLine } from '../../sidecar/accesslog/set-aside.ts';
import { MAX_ACTOR_DEPTH, MAX_CLAIM_CHARS, type Actor } from '../../sidecar/identity/identity.ts';
import { createSeries, MAX_LABEL_CHARS } from '../../sidecar/metrics/series.ts';
import { MAX_SERIES } from '../../sidecar/metrics/metrics.ts';
import {
  boundedRequirement,
  boundedUserAgent,
  MAX_REQUIREMENT_CHARS,
  MAX_ROLES_CHARS,
  MAX_STAMP_CHARS,
  MAX_USER_AGENT_CHARS,
  openStamp,
  sealStamp,
  stampedIdentity,
} from '../../sidecar/stamp.ts';
import { MAX_URI_PART_CHARS, MAX_WORD_CHARS, toRow } from '../../sidecar/to-row.ts';
import { createSample } from '../../sidecar/trace/sampling.ts';
import { identity } from '../fixtures/identities.ts';
import { aCaddyLine, aCaddyRequest, lineBytes } from '../fixtures/lines.ts';
import { makeLogFolder, type LogFolder } from '../fixtures/log-folder.ts';
import { SAMPLE_EVERYTHING } from '../fixtures/sampling.ts';
import { stamp, withSeal } from '../fixtures/stamps.ts';

const around = (limit: number) => [limit - 1, limit, limit + 1] as const;
const KEY = createSecretKey(randomBytes(32));

describe('of the log', () => {
  let files: LogFolder;
  beforeEach(() => {
    files = makeLogFolder();
  });
  afterEach(() => files.remove());

  test('a line of more than MAX_LINE_BYTES is set aside, and the next one is read', () => {
    files.write(...around(MAX_LINE_BYTES).map((bytes) => 'x'.repeat(bytes)), 'next');
    const [lengths, reasons]: [number[], string[]] = [[], []];
    const log = files.follower();
    for (let batch = log.next(); batch !== undefined; batch = log.next()) {
      lengths.push(...batch.lines.map(({ bytes }) => bytes.length));
      reasons.push(...batch.setAside.map(({ reason, bytes }) => `${reason} ${bytes}`));
    }
    expect(lengths).toEqual([MAX_LINE_BYTES - 1, MAX_LINE_BYTES, 4]);
    expect(reasons).toEqual([`too-long ${MAX_LINE_BYTES + 1}`]);
  });

  test.each(around(MAX_BATCH_LINES))(
    '%i short lines: a batch has MAX_BATCH_LINES at most',
    (count) => {
      files.write(...Array.from({ length: count }, () => 'x'));
      const log = files.follower();
      const batches = [log.next(), log.next()].map((batch) => batch?.lines.length);
      const rest = count > MAX_BATCH_LINES ? 1 : undefined;
      expect(batches).toEqual([Math.min(count, MAX_BATCH_LINES), rest]);
    },
  );

  test.each(around(MAX_BATCH_BYTES))(
    '%i bytes in 20 lines: a batch has MAX_BATCH_BYTES at most',
    (bytes) => {
      const short = Math.floor(bytes / 20) - 1;
      const last = bytes - 19 * (short + 1) - 1;
      files.write(...Array.from({ length: 19 }, () => 'x'.repeat(short)), 'x'.repeat(last));
      const log = files.follower();
      const batches = [log.next(), log.next()].map((batch) => batch?.lines.length);
      expect(batches).toEqual(bytes > MAX_BATCH_BYTES ? [19, 1] : [20, undefined]);
    },
  );

  test('MAX_HEAD_BYTES are kept of a line that is set aside', () => {
    const heads = around(MAX_HEAD_BYTES).map((bytes) =>
      setAsideLine(Buffer.alloc(bytes, 'x '), 'too-long'),
    );
    expect(heads.map(({ head }) => head.length)).toEqual([
      MAX_HEAD_BYTES - 1,
      MAX_HEAD_BYTES,
      MAX_HEAD_BYTES,
    ]);
  });
});

describe('of a row', () => {
  const RULES = {
    ...{ ownAddresses: [], redact: (query: string) => query, address: (text: string) => text },
    sample: createSample(SAMPLE_EVERYTHING),
  };
  const rowOf = (request: Record<string, unknown>) => {
    const bytes = lineBytes(aCaddyLine({ request: aCaddyRequest(request) }));
    return toRow(parseLine(bytes, 1_795_180_000_000_000) as Entry, 'missing', bytes, RULES);
  };
  const kept = (limit: number) => [limit - 1, limit, limit + 1];
  /** Last characters: of the three the last is cut. */
  const LAST = ['x', 'x', '…'];

  test.each(['method', 'host', 'proto'] as const)(
    'a %s of more than MAX_WORD_CHARS is cut, and says so',
    (name) => {
      const field = name === 'proto' ? 'protocol' : name;
      const start = name === 'proto' ? 'HTTP/' : '';
      const values = around(MAX_WORD_CHARS).map(
        (chars) => rowOf({ [name]: start + 'x'.repeat(chars - start.length) })[field],
      );
      expect(values.map(({ length }) => length)).toEqual(kept(MAX_WORD_CHARS));
      expect(values.map((value) => value.at(-1))).toEqual(LAST);
    },
  );

  test('a path and a query of more than MAX_URI_PART_CHARS are cut, and say so', () => {
    const rows = around(MAX_URI_PART_CHARS).map((chars) =>
      rowOf({ uri: `/${'x'.repeat(chars - 1)}?${'x'.repeat(chars)}` }),
    );
    expect(rows.map(({ path }) => path.length)).toEqual(kept(MAX_URI_PART_CHARS));
    expect(rows.map(({ query = '' }) => query.at(-1))).toEqual(LAST);
  });
});

describe('of a stamp', () => {
  test('User-Agent and requirement are cut at MAX_USER_AGENT_CHARS and MAX_REQUIREMENT_CHARS', () => {
    const agents = around(MAX_USER_AGENT_CHARS).map(
      (chars) => boundedUserAgent('x'.repeat(chars)).length,
    );
    const asked = around(MAX_REQUIREMENT_CHARS).map(
      (chars) => boundedRequirement('x'.repeat(chars)).length,
    );
    expect(agents).toEqual([255, 256, 256]);
    expect(asked).toEqual([511, 512, 512]);
  });

  test('whole roles are left out beyond MAX_ROLES_CHARS', () => {
    const counts = around(MAX_ROLES_CHARS).map((chars) => {
      const roles = ['a'.repeat(chars - 24), 'b'.repeat(24)];
      return stampedIdentity(identity({ roles })).roles.length;
    });
    expect(counts).toEqual([2, 2, 1]);
  });

  test('of more than MAX_STAMP_CHARS is not opened, though its seal is good', () => {
    const sealed = stamp();
    const opened = around(MAX_STAMP_CHARS).map((chars) => {
      // JSON may end in spaces: each three of them are four characters.
      const json = JSON.stringify(sealed);
      for (let spaces = 0; ; spaces++) {
        const inside = Buffer.from(
          json + ' '.repeat((chars * 3) / 4 - json.length - 60 + spaces),
        ).toString('base64url');
        const text = withSeal(`1.${inside}`, KEY);
        if (text.length >= chars)
          return [text.length - chars, openStamp(text, [KEY], sealed.requestId) !== undefined];
      }
    });
    expect(opened.map(([, isOpened]) => isOpened)).toEqual([true, true, false]);
  });

  test('the longest that the gate can seal is within MAX_STAMP_CHARS', () => {
    const worst = '\uffff'.repeat(MAX_CLAIM_CHARS);
    let actor: Actor | undefined;
    for (let depth = 0; depth < MAX_ACTOR_DEPTH; depth++) {
      actor = { subject: worst, issuer: worst, ...(actor !== undefined && { actor }) };
    }
    const roles = Array.from({ length: 200 }, (_, index) => `${index}\uffff\uffff`);
    const who = identity({ issuer: worst, user: worst, subject: worst, team: worst, roles, actor });
    const longest = stamp({
      ...{ identity: stampedIdentity(who), route: 'r'.repeat(128) },
      ...{
        userAgent: '\uffff'.repeat(MAX_USER_AGENT_CHARS),
        requirement: '\uffff'.repeat(MAX_REQUIREMENT_CHARS),
      },
    });
    const text = sealStamp(longest, KEY);
    expect(text.length).toBeLessThanOrEqual(MAX_STAMP_CHARS);
    expect(openStamp(text, [KEY], longest.requestId)).toBeDefined();
  });
});

describe('of the metrics', () => {
  test('what is more than MAX_SERIES is one series for all others', () => {
    const counts = around(MAX_SERIES).map((count) => {
      const series = createSeries(['route'], MAX_SERIES, () => ({ seen: 0 }));
      for (let index = 0; index < count; index++) series.of([`route-${index}`]).seen++;
      const all = series.all();
      return [all.length, all.at(-1)?.series.seen];
    });
    expect(counts).toEqual([
      [MAX_SERIES - 1, 1],
      [MAX_SERIES, 1],
      [MAX_SERIES, 2],
    ]);
  });

  test('a label is cut at MAX_LABEL_CHARS, and says so', () => {
    const labels = around(MAX_LABEL_CHARS).map((chars) => {
      const series = createSeries(['route'], 10, () => 0);
      series.of(['x'.repeat(chars)]);
      return series.all()[0]?.labels['route'] as string;
    });
    expect(labels.map(({ length }) => length)).toEqual([99, 100, 100]);
    expect(labels.map((label) => label.at(-1))).toEqual(['x', 'x', '…']);
  });
});
