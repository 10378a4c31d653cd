import { InvalidInputError } from '../errors.ts';
import type { Vocabulary as AttributeVocabulary } from '../fairness/grouping.ts';
import type { BinFacts, JoinFacts } from '../fairness/input-facts.ts';
import { quote } from './cells.ts';
import { makeVocabulary, type Vocabulary } from './column-builder.ts';
import type { Columns } from './columns.ts';
import { type Binning, type BinRule, makeBinning, makeQuantileCounter } from './groups/bins.ts';
import { type JoinRequest, type JoinTable, loadJoin } from './groups/join.ts';
import { checkGroup, MAX_GROUPS, sortedGroups, tooManyValues } from './samples.ts';
import type { Slots } from './slots.ts';
import { type ReadHooks, readBatches, tableColumns } from './table.ts';
import type { NumberRule, RowBatch } from './tables/batch.ts';
import { MISSING_GROUP } from './types.ts';

const MEASUREMENT: NumberRule = {
  expected: 'a number, since the column has bins',
  min: -Number.MAX_VALUE,
  max: Number.MAX_VALUE,
  isOptional: true,
};

/** A sensitive feature as it is read batch by batch. */
interface Attribute {
  /** [size] codes of groups, by the final vocabulary. */
  read(batch: RowBatch): Int32Array;
  /** Code of the rows without a value; -1 while there are none. */
  missingCode(): number;
  /** @throws InvalidInputError for groups that look alike */
  finish(): AttributeVocabulary;
}

export interface Attributes {
  readonly attributes: readonly Attribute[];
  readonly bins: readonly BinFacts[];
  /** To be asked after all rows were read. */
  join(): JoinFacts | undefined;
}

export interface AttributesRequest {
  readonly path: string;
  readonly columns: Pick<Columns, 'sensitiveFeatures' | 'bins'>;
  readonly join?: JoinRequest | undefined;
  readonly slots: Slots;
  readonly hooks?: ReadHooks | undefined;
}

/**
 * The sensitive features of a table, some of them perhaps of a second one.
 *
 * @throws InvalidInputError for a feature that both tables have, columns that cannot be divided in quantiles, and as
 *   `loadJoin`
 */
export async function openAttributes(request: AttributesRequest): Promise<Attributes> {
  const { path, columns, join, hooks } = request;
  const joined = join === undefined ? [] : await joinedFeatures(path, columns.sensitiveFeatures, join);
  const own = columns.sensitiveFeatures.filter((name) => !joined.includes(name));
  const rulesOf = (names: readonly string[]) =>
    names.flatMap((name): (readonly [string, BinRule])[] => {
      const rule = columns.bins?.[name];
      return rule === undefined ? [] : [[name, rule]];
    });
  const bins = await binFacts(path, rulesOf(own), hooks);
  const attributes = new Map(own.map((name) => [name, ownAttribute(request, name, bins)]));
  if (join === undefined) return { attributes: [...attributes.values()], bins, join: () => undefined };
  const otherBins = await binFacts(join.path, rulesOf(joined), hooks);
  const second = await joinAttributes(request, join, { joined, bins: otherBins });
  for (const [name, attribute] of second.attributes) attributes.set(name, attribute);
  return {
    attributes: columns.sensitiveFeatures.map((name) => attributes.get(name)!),
    bins: [...bins, ...otherBins],
    join: () => joinFacts(join, second.table),
  };
}

/** @throws InvalidInputError when no row of the first table has found its own: these are other identifiers */
function joinFacts({ path, id }: JoinRequest, table: JoinTable): JoinFacts {
  const counts = table.counts();
  if (counts.matched > 0) return { id, ...counts };
  throw new InvalidInputError(
    `${path}: expected identifiers of column ${quote(id)}, received none of those of ${counts.unmatched} rows`,
    { path, column: id },
  );
}

/** Features that the second table gives; the rest are the first one's. */
async function joinedFeatures(
  path: string,
  features: readonly string[],
  join: JoinRequest,
): Promise<readonly string[]> {
  const [first, second] = [await tableColumns(path), await tableColumns(join.path)];
  const joined = features.filter((name) => second.includes(name));
  const both = joined.find((name) => first.includes(name));
  if (both !== undefined) {
    throw new InvalidInputError(
      `${join.path}: expected each sensitive feature in one of the two tables, received column ${quote(both)} in both`,
      { path: join.path, column: both },
    );
  }
  if (joined.length > 0) return joined;
  throw new InvalidInputError(
    `${join.path}: expected a column of a sensitive feature, received none of ${features.map(quote).join(', ')}`,
    { path: join.path },
  );
}

/** Edges of each rule; quantiles need a pass of their own over the table. */
async function binFacts(
  path: string,
  rules: readonly (readonly [string, BinRule])[],
  hooks: ReadHooks | undefined,
): Promise<BinFacts[]> {
  const counted = rules.filter(([, rule]) => 'quantiles' in rule).map(([name]) => name);
  const counters = new Map(counted.map((name) => [name, makeQuantileCounter()]));
  if (counted.length > 0) {
    const numbers = counted.map((name) => ({ name, ...MEASUREMENT }));
    for await (const batch of readBatches(path, { texts: [], numbers }, hooks)) {
      for (const [index, name] of counted.entries()) counters.get(name)!.add(batch.numbers[index]!);
    }
  }
  return rules.map(([name, rule]) => {
    if ('edges' in rule) return { sensitiveFeature: name, rule: 'edges', edges: rule.edges, isExact: true };
    const found = counters.get(name)!.edges(rule.quantiles);
    if (found.edges.length > 0) return { sensitiveFeature: name, rule: 'quantiles', ...found };
    throw new InvalidInputError(
      `${path}, column ${quote(name)}: expected two distinct numbers at least, to divide by quantiles, received fewer`,
      { path, column: name },
    );
  });
}

function binningOf(name: string, bins: readonly BinFacts[]): Binning | null {
  const facts = bins.find(({ sensitiveFeature }) => sensitiveFeature === name);
  return facts === undefined ? null : makeBinning(facts.edges);
}

function ownAttribute(
  { path, slots }: AttributesRequest,
  name: string,
  bins: readonly BinFacts[],
): Attribute {
  const binning = binningOf(name, bins);
  if (binning !== null) {
    const read = slots.number(name, MEASUREMENT);
    return binnedAttribute(name, binning, (batch) => Int32Array.from(read(batch), binning.codeOf));
  }
  const slot = slots.text(name, { check: checkGroup, isLimited: true });
  return textAttribute(`${path}, column ${quote(name)}`, {
    name,
    read: slot.read,
    vocabulary: slot.vocabulary,
  });
}

function binnedAttribute(name: string, binning: Binning, read: Attribute['read']): Attribute {
  return {
    read,
    missingCode: () => binning.groupNames.indexOf(MISSING_GROUP),
    finish: () => ({ name, groupNames: binning.groupNames, order: binning.order() }),
  };
}

function textAttribute(
  where: string,
  {
    name,
    read,
    vocabulary,
  }: Pick<Attribute, 'read'> & { readonly name: string; readonly vocabulary: Vocabulary },
): Attribute {
  return {
    read,
    missingCode: () => vocabulary.texts.indexOf(''),
    finish: () => vocabularyOf(where, name, vocabulary),
  };
}

/** Groups in code unit order, rows without one last. */
function vocabularyOf(where: string, name: string, { texts }: Vocabulary): AttributeVocabulary {
  const codes = new Map(texts.map((text, code) => [text, code]));
  const order = sortedGroups(where, texts).map((text) => codes.get(text)!);
  const missing = codes.get('');
  return {
    name,
    groupNames: texts.map((text) => (text === '' ? MISSING_GROUP : text)),
    order: missing === undefined ? order : [...order, missing],
  };
}

interface JoinedColumns {
  readonly joined: readonly string[];
  readonly bins: readonly BinFacts[];
}

async function joinAttributes(
  { slots, hooks }: AttributesRequest,
  join: JoinRequest,
  { joined, bins }: JoinedColumns,
): Promise<{ readonly table: JoinTable; readonly attributes: readonly (readonly [string, Attribute])[] }> {
  const isBinned = (name: string) => bins.some(({ sensitiveFeature }) => sensitiveFeature === name);
  const texts = joined
    .filter((name) => !isBinned(name))
    .map((name) => ({ name, vocabulary: makeVocabulary() }));
  const numbers = joined.filter(isBinned).map((name) => ({ name, ...MEASUREMENT }));
  const table = await loadJoin(join, { texts, numbers }, hooks);
  const ids = slots.text(join.id, { vocabulary: table.ids });
  const entriesOf = entriesByBatch(ids.read, table);
  const textAttributes = texts.map(({ name, vocabulary }, index) => {
    if (vocabulary.texts.length > MAX_GROUPS) throw tooManyValues(join.path, name);
    const where = `${join.path}, column ${quote(name)}`;
    for (const text of vocabulary.texts) checkGroup(where, text);
    // Groups that no row of the first table has are none of its groups.
    const own = makeVocabulary();
    const read = (batch: RowBatch) =>
      entriesOf(batch).map((entry) => own.codeOf(vocabulary.texts[table.texts[index]![entry]!]!));
    return [name, textAttribute(where, { name, read, vocabulary: own })] as const;
  });
  const numberAttributes = numbers.map(({ name }, index) => {
    const binning = binningOf(name, bins)!;
    const read = (batch: RowBatch) =>
      entriesOf(batch).map((entry) => binning.codeOf(table.numbers[index]![entry]!));
    return [name, binnedAttribute(name, binning, read)] as const;
  });
  return { table, attributes: [...textAttributes, ...numberAttributes] };
}

/** Entries of a batch; its rows are counted once, however many features ask. */
function entriesByBatch(read: (batch: RowBatch) => Int32Array, table: JoinTable) {
  let last: RowBatch | undefined;
  return (batch: RowBatch): Int32Array => {
    const entries = read(batch);
    if (batch !== last) table.match(entries);
    last = batch;
    return entries;
  };
}
