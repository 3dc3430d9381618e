// Where in the text of signet.yaml a setting is written.
import { type Document, isAlias, isMap, isNode, isScalar, isSeq } from 'yaml';

type Step = string | number;

/**
 * Returns where a key or an element such as `destinations[0].name` begins, as an offset in the text;
 * undefined for what isn't written. Behind an alias it is there where that stands which it names.
 */
export function offsetOf(document: Document.Parsed, path: string): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const step of stepsOf(path)) {
    const found = partOf(isAlias(node) ? node.resolve(document) : node, step);
    if (found === undefined || !isNode(found.begin)) return undefined;
    offset = found.begin.range?.[0];
    node = found.value;
  }
  return offset;
}

function stepsOf(path: string): Step[] {
  const steps = path.match(/[^.[\]]+|\[\d+\]/g) ?? [];
  return steps.map((step) => (step.startsWith('[') ? Number(step.slice(1, -1)) : step));
}

function partOf(node: unknown, step: Step) {
  if (isSeq(node) && typeof step === 'number') {
    return { begin: node.items[step], value: node.items[step] };
  }
  const pair = isMap(node)
    ? node.items.find(({ key }) => isScalar(key) && key.value === step)
    : undefined;
  return pair && { begin: pair.key, value: pair.value };
}
