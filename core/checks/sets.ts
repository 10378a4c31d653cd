import type { ImageFacts } from '../data/image-facts.ts';
import type { FeatureTable, Samples } from '../data/types.ts';
import { MISSING_GROUP } from '../data/types.ts';
import type { SensitiveFeature } from '../fairness/types.ts';
import type { Observation } from '../model/observe.ts';

/** Rows with one use, and what is known of each. */
export interface CheckedSet {
  /** `tune`, `select`, the name of a test set, or what it is compared with. */
  readonly name: string;
  /** Is it to be audited on, rather than tuned and chosen on? */
  readonly isTest: boolean;
  /** [N] of these rows alone */
  readonly samples: Samples;
  /** [N]; null for a table */
  readonly images: readonly ImageFacts[] | null;
  /** [N · columns]; null for images */
  readonly table: FeatureTable | null;
  /** What the model makes of these rows; null where it was not asked */
  readonly seen: SeenRows | null;
}

/** What one pass of the model over the rows shows. */
type SeenRows = Observation;

/** The data of one run, by use. */
export interface CheckedData {
  /** Tune, select and every test set, as far as there are any; the first test set decides the outcome of a run. */
  readonly parts: readonly CheckedSet[];
  /** Leaves out what costs more than it tells beside a mitigation. */
  readonly isBrief: boolean;
  /** External rows that are in no part for want of a value of the mitigated feature. */
  readonly withoutGroup: number;
  /** Rows of another set, that the data should resemble; null when there is none. */
  readonly reference: CheckedSet | null;
  /** Names of the features whose disparity is to be lowered; others are looked at with less rigour. */
  readonly mitigated: readonly string[];
}

/** The sets with one index for each group's name, those without any row left out. */
export function alignGroups(sets: readonly CheckedSet[]): CheckedSet[] {
  const features = sets[0]!.samples.sensitiveFeatures.map(({ name }) => {
    const present = new Set(
      sets.flatMap((set) => {
        const { groupNames, groups } = featureOf(set, name)!;
        return [...new Set(groups)].map((group) => groupNames[group]!);
      }),
    );
    const named = [...present].filter((group) => group !== MISSING_GROUP).sort();
    return { name, groupNames: present.has(MISSING_GROUP) ? [...named, MISSING_GROUP] : named };
  });
  return sets.map((set) => ({
    ...set,
    samples: {
      ...set.samples,
      sensitiveFeatures: features.map(({ name, groupNames }) => {
        const own = featureOf(set, name)!;
        const places = own.groupNames.map((group) => groupNames.indexOf(group));
        return { name, groupNames, groups: own.groups.map((group) => places[group]!) };
      }),
    },
  }));
}

/** Sets with one index for each group's name, one after the other. */
export function joinSets(name: string, sets: readonly CheckedSet[]): CheckedSet {
  const [first] = sets;
  if (first !== undefined && sets.length === 1) return { ...first, name };
  return {
    name,
    isTest: sets.every(({ isTest }) => isTest),
    samples: joinSamples(sets.map(({ samples }) => samples)),
    images: sets.every(({ images }) => images !== null) ? sets.flatMap(({ images }) => images!) : null,
    table: joinTables(sets.map(({ table }) => table)),
    seen: joinSeen(sets.map(({ seen }) => seen)),
  };
}

function joinSamples(sets: readonly Samples[]): Samples {
  const [first] = sets;
  const joined = (of: (samples: Samples) => Int32Array) =>
    Int32Array.from(sets.flatMap((set) => [...of(set)]));
  return {
    size: sets.reduce((sum, { size }) => sum + size, 0),
    labels: joined(({ labels }) => labels),
    sensitiveFeatures: first!.sensitiveFeatures.map((feature, index) => ({
      ...feature,
      groups: joined(({ sensitiveFeatures }) => sensitiveFeatures[index]!.groups),
    })),
    ...(sets.every(({ subjects }) => subjects) && { subjects: sets.flatMap(({ subjects }) => subjects!) }),
  };
}

function joinTables(tables: readonly (FeatureTable | null)[]): FeatureTable | null {
  const [first] = tables;
  if (!first || tables.includes(null)) return null;
  return { ...first, values: Float64Array.from(tables.flatMap((table) => [...table!.values])) };
}

function joinSeen(sets: readonly (SeenRows | null)[]): SeenRows | null {
  const seen = sets.filter((set) => set !== null);
  const [first] = seen;
  if (seen.length < sets.length || first === undefined) return null;
  return {
    size: seen.reduce((sum, { size }) => sum + size, 0),
    width: first.width,
    features: concat(seen.map(({ features }) => features)),
    logits: concat(seen.map(({ logits }) => logits)),
    normalizations: first.normalizations.map((moments, layer) => ({
      ...moments,
      means: concat(seen.map(({ normalizations }) => normalizations[layer]!.means)),
      squares: concat(seen.map(({ normalizations }) => normalizations[layer]!.squares)),
    })),
  };
}

function concat(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** The feature of that name; null when the set has none. */
export function featureOf({ samples }: CheckedSet, name: string): SensitiveFeature | null {
  return samples.sensitiveFeatures.find((feature) => feature.name === name) ?? null;
}

/** Rows of each group that has a name and any, in order of the groups. */
export function rowsByGroup({ groupNames, groups }: SensitiveFeature): Map<string, number[]> {
  const rows = new Map<string, number[]>();
  groupNames.forEach((name, group) => {
    if (name === MISSING_GROUP) return;
    const own = indicesWhere(groups, (each) => each === group);
    if (own.length > 0) rows.set(name, own);
  });
  return rows;
}

export function indicesWhere(
  values: ArrayLike<number>,
  holds: (value: number, index: number) => boolean,
): number[] {
  const found: number[] = [];
  for (let index = 0; index < values.length; index += 1) if (holds(values[index]!, index)) found.push(index);
  return found;
}
