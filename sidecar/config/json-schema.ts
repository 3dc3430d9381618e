// signet.yaml's JSON Schema as editors read it: draft 7, which the YAML language server knows. What it can't
// say, such as what goes together, `signet config` does.
import { z } from 'zod';
import { variablesOf } from './environment.ts';
import { EXPLANATIONS } from './explanations.ts';
import { SETTINGS } from './schema.ts';

type Node = {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly kind?: string;
};

/** Returns the schema as JSON with a newline: what deploy/signet.schema.json holds. */
export function jsonSchemaText(): string {
  return `${JSON.stringify(jsonSchema(), undefined, 2)}\n`;
}

function jsonSchema(): unknown {
  const { $schema, ...schema } = z.toJSONSchema(SETTINGS, { io: 'input', target: 'draft-7' });
  const title = 'signet.yaml';
  const description = 'The settings of Signet. Variables of the environment win over them.';
  return { $schema, title, description, ...(explained(schema as Node, '') as Node) };
}

/** Returns a node, and all below it, with its explanation, and without what is for our messages only. */
function explained(node: Node, path: string): unknown {
  const { properties, items, description: _, default: preset, ...rest } = node;
  const { kind: __, ...plain } = rest;
  // That a section may be left out needs no saying: an editor would offer an empty one.
  const isOffered = preset !== undefined && node.type !== 'object';
  return {
    ...(path !== '' && descriptionOf(node, path)),
    ...plain,
    ...(isOffered && { default: preset }),
    ...(items !== undefined && { items: explained(items, `${path}[]`) }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, part]) => [
          name,
          explained(part, path === '' ? name : `${path}.${name}`),
        ]),
      ),
    }),
  };
}

// The elements of a list of words are explained by their list.
function descriptionOf(node: Node, path: string): { description?: string } {
  const explanation = EXPLANATIONS[path];
  if (explanation === undefined) return {};
  const isSaid = node.description === undefined || node.type === 'object' || node.enum;
  const variables = variablesOf(path);
  const parts = [
    explanation,
    ...(isSaid ? [] : [`Allowed: ${node.description}.`]),
    ...(variables.length > 0 ? [`In the environment: ${variables.join(', ')}.`] : []),
  ];
  return { description: parts.join('\n\n') };
}
