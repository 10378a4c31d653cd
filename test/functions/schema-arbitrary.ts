import fc from 'fast-check';

/** The part of JSON Schema that zod writes. */
export interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

/** Texts that mean something, by the name of the property that holds them. */
export type Hints = Readonly<Record<string, readonly string[]>>;

const ANY = fc.jsonValue({ maxDepth: 3 });

/** Values that fit a schema, and for texts mostly those that also mean something. */
export function schemaArbitrary(schema: JsonSchema, hints: Hints, name = ''): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) {
    return fc.oneof(...branches.map((branch) => schemaArbitrary(branch, hints, name)));
  }
  switch (schema.type) {
    case 'object':
      return objectArbitrary(schema, hints);
    case 'array': {
      const item = schemaArbitrary(schema.items ?? {}, hints, name);
      return fc.array(item, { minLength: schema.minItems ?? 0, maxLength: 2 });
    }
    case 'string':
      return textArbitrary(schema, hints[name]);
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -100, max: Math.min(schema.maximum ?? 100, 2 ** 31 - 1) });
    case 'number':
      return fc.double({
        min: schema.minimum ?? schema.exclusiveMinimum ?? -1,
        max: schema.maximum ?? schema.exclusiveMaximum ?? 1,
        minExcluded: schema.exclusiveMinimum !== undefined,
        maxExcluded: schema.exclusiveMaximum !== undefined,
        noNaN: true,
      });
    case 'boolean':
      return fc.boolean();
    default:
      return ANY;
  }
}

function objectArbitrary({ properties, required = [] }: JsonSchema, hints: Hints): fc.Arbitrary<unknown> {
  if (properties === undefined) return fc.dictionary(fc.string({ maxLength: 8 }), ANY, { maxKeys: 3 });
  const entries = Object.entries(properties).map(
    ([name, schema]) => [name, schemaArbitrary(schema, hints, name)] as const,
  );
  return fc.record(Object.fromEntries(entries), { requiredKeys: [...required] });
}

function textArbitrary(
  { minLength = 0, maxLength = 20 }: JsonSchema,
  known: readonly string[] | undefined,
): fc.Arbitrary<string> {
  const any = fc.string({ minLength, maxLength: Math.min(maxLength, 20), unit: 'grapheme' });
  return known === undefined
    ? any
    : fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: any });
}

/** What a client may send where something else belongs. */
const JUNK: readonly unknown[] = [
  null,
  '',
  ' ',
  0,
  -1,
  1e308,
  2 ** 53,
  true,
  [],
  {},
  '__proto__',
  'constructor',
  '../../etc/passwd',
  'uploads/../jobs/x/record.json',
  'uploads//',
  '\u0000',
  '\ud800',
  '\u202e',
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  `\${jndi:ldap://x}`,
  'x'.repeat(2000),
  JSON.parse('{"__proto__":{"x":1}}'),
  [[[[[[]]]]]],
];

interface Mutation {
  readonly at: number;
  readonly how: 'replace' | 'remove' | 'add' | 'rename';
  readonly junk: unknown;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat({ max: 1000 }),
  how: fc.constantFrom('replace', 'remove', 'add', 'rename'),
  junk: fc.oneof(fc.constantFrom(...JUNK), ANY),
});

/** The same values with up to three of their parts replaced, removed, added or renamed. */
export function mutated(values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const none = { weight: 1, arbitrary: fc.constant<Mutation[]>([]) };
  const some = { weight: 1, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) };
  return fc
    .tuple(values, fc.oneof(none, some))
    .map(([value, mutations]) => mutations.reduce(mutate, structuredClone(value)));
}

function mutate(root: unknown, { at, how, junk: given }: Mutation): unknown {
  const junk = structuredClone(given);
  const places = placesIn(root);
  const place = places[at % Math.max(1, places.length)];
  if (place === undefined) return junk;
  const { holder, key } = place;
  const set = (name: string, value: unknown) =>
    Object.defineProperty(holder, name, { value, writable: true, enumerable: true, configurable: true });
  if (how === 'replace') set(key, junk);
  if (how === 'add') set(JSON.stringify(junk).slice(0, 30), junk);
  if (how === 'rename') set(`${key}x`, holder[key]);
  if (how === 'remove' || how === 'rename') delete holder[key];
  return root;
}

function placesIn(value: unknown): { holder: Record<string, unknown>; key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...placesIn(holder[key])]);
}
