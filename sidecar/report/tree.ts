// One row in full, for people: who, what, the decision, and its spans as a timed tree with bars.
// It draws the spans that it is given, and knows nothing of how they are made.
import { styleText } from 'node:util';
import { factsOf, type Paint } from './facts.ts';
import { milliseconds } from '../audit/format-text.ts';
import { column, visible } from '../visible.ts';
import type { ReadRow } from '../audit/reader.ts';

/** What the tree needs of a span. */
export type TreeSpan = {
  readonly name: string;
  readonly kind: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  /** Microseconds since the epoch. */
  readonly startUs: number;
  readonly endUs: number;
};

type Branch = { readonly span: TreeSpan; readonly indent: string };

const LABEL_WIDTH = 13;
const NAME_WIDTH = 34;
const BAR_WIDTH = 40;

/** Returns the lines about one row, ending in a newline. */
export function formatTree(
  row: ReadRow,
  spans: readonly TreeSpan[],
  { colour = false }: { readonly colour?: boolean } = {},
): string {
  const paint: Paint = (style, text) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const facts = factsOf(row, paint).map(
    ([label, text]) => paint('dim', column(label, LABEL_WIDTH)) + text,
  );
  const drawn = spans.length === 0 ? [] : ['', ...spanLines(spans, paint)];
  return `${[...facts, ...drawn].join('\n')}\n`;
}

function spanLines(spans: readonly TreeSpan[], paint: Paint): string[] {
  const fromUs = Math.min(...spans.map((span) => span.startUs));
  const toUs = Math.max(...spans.map((span) => span.endUs));
  return branchesOf(spans).map(({ span, indent }) => {
    const name = column(visible(`${indent}${span.name}`), NAME_WIDTH);
    const kind = paint('dim', column(visible(span.kind.toLowerCase()), 9));
    const start = `+${milliseconds(span.startUs - fromUs)}`.padStart(10);
    const length = `${milliseconds(span.endUs - span.startUs)} ms`.padStart(13);
    return `${name} ${kind} ${paint('cyan', barOf(span, fromUs, toUs))} ${start} ${length}`;
  });
}

// Parents before their children, these by time. A span whose parent is elsewhere begins a tree.
function branchesOf(spans: readonly TreeSpan[]): Branch[] {
  const ids = new Set(spans.map((span) => span.spanId));
  const under = (parent: string | undefined, indent: string): Branch[] =>
    spans
      .filter(({ parentSpanId }) =>
        parent === undefined ? !ids.has(parentSpanId ?? '') : parentSpanId === parent,
      )
      .toSorted((a, b) => a.startUs - b.startUs)
      .flatMap((span, index, siblings) => {
        const isLast = index === siblings.length - 1;
        const own = parent === undefined ? '' : `${indent}${isLast ? '└─ ' : '├─ '}`;
        const below = parent === undefined ? '' : `${indent}${isLast ? '   ' : '│  '}`;
        return [{ span, indent: own }, ...under(span.spanId, below)];
      });
  return under(undefined, '');
}

function barOf(span: TreeSpan, fromUs: number, toUs: number): string {
  const scale = BAR_WIDTH / Math.max(1, toUs - fromUs);
  const start = Math.min(BAR_WIDTH - 1, Math.floor((span.startUs - fromUs) * scale));
  const end = Math.max(start + 1, Math.ceil((span.endUs - fromUs) * scale));
  return column(' '.repeat(start) + '█'.repeat(Math.min(end, BAR_WIDTH) - start), BAR_WIDTH);
}
