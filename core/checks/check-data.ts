import type { ImageFacts } from '../data/image-facts.ts';
import { distanceFindings, distanceOf } from './activations.ts';
import { comparisonsOf } from './comparisons.ts';
import { type DuplicateClass, duplicateFindings, exactClasses, nearClasses } from './duplicates.ts';
import { groupProbeFindings } from './group-probe.ts';
import { hasSignal, labelFindings } from './labels.ts';
import { nearPairs } from './near-pairs.ts';
import { notChecked } from './not-checked.ts';
import { isBlank, pictureFindings } from './pictures.ts';
import { alignGroups, type CheckedData, type CheckedSet, joinSets } from './sets.ts';
import { associationFindings, shiftFindings } from './shifts.ts';
import { subjectFindings } from './subjects.ts';
import { cellSupports, reachOf, supportFindings } from './supports.ts';
import { tableClasses, tableFindings } from './table-rows.ts';
import { scoreHistograms, twoSetsFindings, twoSetsTests } from './two-sets.ts';
import { type DataCheck, type Finding, summarize } from './types.ts';

export interface CheckedResult {
  readonly check: DataCheck;
  /** Duplicates over the rows of all parts, one part after the other: row-level, so not in the check. */
  readonly duplicates: readonly DuplicateClass[];
  /** Pictures without content, likewise. */
  readonly blank: readonly number[];
}

/** The rows of a run, joined in the ways that they are looked at. */
interface View {
  readonly parts: readonly CheckedSet[];
  readonly external: CheckedSet;
  /** The first test set, which decides the outcome. */
  readonly test: CheckedSet | null;
  /** External data and the first test set: further ones may differ on purpose. */
  readonly whole: CheckedSet;
  readonly everything: CheckedSet;
  readonly reference: CheckedSet | null;
}

/** Looks at data from every side; what the model makes of it is in `seen` of each part. */
export async function checkData(data: CheckedData, signal?: AbortSignal): Promise<CheckedResult> {
  const view = viewOf(data);
  const { parts, whole, everything } = view;
  const aligned = { ...data, parts };
  const cells = cellSupports(aligned);
  const duplicates = await duplicatesOf(everything, signal);
  const distance = distanceOf(whole);
  const labels = labelFindings(whole);
  const pairs = pairsOf(view);
  const twoSets = twoSetsTests(pairs, data);
  const findings = [
    ...supportFindings(aligned, cells),
    ...subjectFindings(parts),
    ...labels,
    ...distanceFindings(distance, hasSignal(labels)),
    ...duplicateFindings({ kind: whole.table === null ? 'image' : 'row', parts, classes: duplicates }),
    ...twoSetsFindings(pairs, twoSets),
    ...differences(view, pairs),
  ];
  return {
    check: {
      schemaVersion: 1,
      ...summarize(findings),
      notChecked: notChecked({ parts, test: view.test, distance }),
      cells,
      reach: reachOf(cells),
      distance,
      twoSets,
      histograms: scoreHistograms(whole),
    },
    duplicates,
    blank: (everything.images ?? []).flatMap((image, row) => (isBlank(image) ? [row] : [])),
  };
}

function viewOf({ parts: given, reference }: CheckedData): View {
  const parts = alignGroups(given);
  const trained = parts.filter(({ isTest }) => !isTest);
  const external = joinSets('external', trained);
  const test = parts.find(({ isTest }) => isTest) ?? null;
  return {
    parts,
    external,
    test,
    whole: joinSets('checked', test === null ? trained : [...trained, test]),
    everything: joinSets('all', parts),
    reference,
  };
}

type Pair = readonly [CheckedSet, CheckedSet];

/** Sets that ought to be alike: external data and test, all of it and the reference. */
function pairsOf({ external, test, whole, reference }: View): Pair[] {
  return [
    ...(test === null ? [] : [[external, test] as const]),
    ...(reference === null ? [] : [[whole, reference] as const]),
  ];
}

/** Between parts, groups and labels, and from the reference. */
function differences(view: View, pairs: readonly Pair[]): Finding[] {
  const { external, test, whole } = view;
  const halves = test === null ? [external] : [external, test];
  const comparisons = comparisonsOf(view);
  return [
    ...shiftFindings(pairs),
    ...associationFindings(whole),
    ...pictureFindings(whole, comparisons),
    ...tableFindings(whole, comparisons, halves),
    ...groupProbeFindings(halves),
  ];
}

async function duplicatesOf(everything: CheckedSet, signal?: AbortSignal): Promise<DuplicateClass[]> {
  if (everything.images === null) return tableClasses(everything);
  // blank pictures are all alike, and said by themselves
  const shown = everything.images.map((image): ImageFacts | null => (isBlank(image) ? null : image));
  const exact = exactClasses(shown.map((image) => image?.pixels ?? null));
  return [...exact, ...nearClasses(await nearPairs(shown, signal), exact)];
}
