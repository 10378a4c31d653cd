import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { clarifyNumbers } from '../../../../core/fairness/libraries/clarify.ts';
import type { LibraryName } from '../../../../core/fairness/libraries/index.ts';
import { LIBRARIES, LIBRARY_NAMES, numbersAs } from '../../../../core/fairness/libraries/index.ts';
import type { LibraryInput, LibraryNumber, PrintedValue } from '../../../../core/fairness/libraries/types.ts';
import type { FeatureAudit } from '../../../../core/fairness/types.ts';
import { findNumber, inputFrom } from '../../../helpers/library-inputs.ts';

type Values = Readonly<Record<string, PrintedValue | Readonly<Record<string, PrintedValue>>>>;
interface Table {
  readonly data: {
    readonly y_true?: number[];
    readonly y_pred: number[];
    readonly group: string[];
    readonly stratum?: string[];
  };
  readonly [block: string]: unknown;
}

const file = path.join(import.meta.dirname, '../../../fixtures/metrics/reference.json');
const reference = JSON.parse(readFileSync(file, 'utf8')) as Readonly<
  Record<'R1' | 'R2' | 'R3' | 'R4', Table>
>;

/** Every label counts as positive where a table has none. */
const inputOf = ({ data }: Table, referenceGroup = 'A'): LibraryInput =>
  inputFrom({
    labels: data.y_true ?? data.y_pred.map(() => 1),
    predictions: data.y_pred,
    groups: data.group,
    reference: referenceGroup,
    ...(data.stratum && { strata: data.stratum }),
  });

/** Values with the group that each is about: the key above it, or the group of the whole block. */
function flat(values: Values, group: string | null): [string | null, string, PrintedValue][] {
  return Object.entries(values).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([name, one]): [string, string, PrintedValue] => [key, name, one])
      : [[group, key, value]],
  );
}

function expectValue(number: LibraryNumber, expected: PrintedValue, what: string) {
  if (typeof expected === 'number') expect(number.value, what).toBeCloseTo(expected, 12);
  else expect(number.value, what).toBe(expected);
  expect(number.value === null, what).toBe(number.reason !== undefined);
}

/** Names of the reference that are not the libraries' own. */
const SPELLED: Readonly<Record<string, string>> = {
  demographic_parity_difference_to_overall: "demographic_parity_difference(method='to_overall')",
  equalized_odds_difference_worst_case: 'equalized_odds_difference',
  equalized_odds_difference_mean: "equalized_odds_difference(agg='mean')",
  equalized_odds_ratio_worst_case: 'equalized_odds_ratio',
  equalized_odds_ratio_mean: "equalized_odds_ratio(agg='mean')",
  smoothed_edf_of_labels: 'smoothed_empirical_differential_fairness',
  pprev_fair: 'Impact Parity',
  tpr_fair: 'TPR Parity',
  fpr_fair: 'FPR Parity',
  fnr_fair: 'FNR Parity',
  tnr_fair: 'TNR Parity',
  precision_fair: 'Precision Parity',
  npv_fair: 'NPV Parity',
  fdr_fair: 'FDR Parity',
  for_fair: 'FOR Parity',
};

/** A block of the reference: its library, and the group that its values are about (else one block a group). */
const BLOCKS: readonly [keyof typeof reference, string, LibraryName, string | null][] = [
  ['R1', 'fairlearn', 'fairlearn', null],
  ['R2', 'fairlearn', 'fairlearn', null],
  ['R3', 'fairlearn', 'fairlearn', null],
  ['R1', 'aif360', 'aif360', 'B'],
  ['R2', 'aif360_priv_A_unpriv_BC', 'aif360', '(all others)'],
  ['R3', 'aif360_unpriv_C_priv_A', 'aif360', 'C'],
  ['R1', 'clarify_facet_B', 'clarify', 'B'],
  ['R2', 'clarify_facets_one_vs_rest', 'clarify', null],
  ['R3', 'clarify_facet_C', 'clarify', 'C'],
  ['R1', 'aequitas_ref_A', 'aequitas', null],
  ['R2', 'aequitas_ref_A', 'aequitas', null],
  ['R3', 'aequitas_ref_A', 'aequitas', null],
  ['R1', 'oxonfair', 'oxonfair', null],
  ['R2', 'oxonfair', 'oxonfair', null],
  ['R3', 'oxonfair', 'oxonfair', null],
  ['R1', 'holisticai_a_is_B', 'holisticai', 'B'],
];

let compared = 0;

describe('worked tables', () => {
  test.each(BLOCKS)('%s %s: every value to the last digit', (table, block, library, group) => {
    const numbers = LIBRARIES[library].numbers(inputOf(reference[table]));
    for (const [about, name, expected] of flat(reference[table][block] as Values, group)) {
      const number = findNumber(numbers, SPELLED[name] ?? name, [about, null]);
      expectValue(number, expected, `${about} ${name}`);
      compared += 1;
    }
  });

  test('R1: the BMFT code and MEDFAIR', () => {
    const { medfair_EqOdd, ...ofBmft } = reference.R1.bmft_and_medfair_priv_A as Record<string, number>;
    const input = inputOf(reference.R1);
    for (const [name, value] of Object.entries(ofBmft)) {
      expectValue(findNumber(LIBRARIES.bmft.numbers(input), name, ['B']), value, name);
    }
    expectValue(findNumber(LIBRARIES.medfair.numbers(input), 'EqOdd', ['B']), medfair_EqOdd!, 'EqOdd');
    compared += Object.keys(ofBmft).length + 1;
  });

  test('R3: label distances by definition stand beside those that leave a label out', () => {
    const proper = reference.R3.proper_label_distances_C as { KL: string; TVD: number };
    const numbers = LIBRARIES.clarify.numbers(inputOf(reference.R3));
    expect(findNumber(numbers, 'TVD', ['C']).ours!.value).toBeCloseTo(proper.TVD, 12);
    expect(proper.KL).toBe('Infinity');
    expect(findNumber(numbers, 'KL', ['C']).ours).toMatchObject({
      value: null,
      reason: 'infinite: group "C" has no positive labels and "(all others)" has some',
    });
    compared += 2;
  });

  test('R4: disparity within strata and without them', () => {
    const { clarify_CDDPL, clarify_DD_unconditional } = reference.R4 as unknown as Record<string, number>;
    const within = inputOf(reference.R4, 'M');
    const asOne = {
      ...within,
      strata: [{ stratum: 'all', counts: within.groups.map(({ counts }) => counts) }],
    };
    const conditional = findNumber(clarifyNumbers(within), 'CDDPL', ['F']);
    expectValue(conditional, clarify_CDDPL!, 'CDDPL');
    expect(conditional.ours!.value).toBeCloseTo(clarify_CDDPL!, 12);
    expectValue(findNumber(clarifyNumbers(asOne), 'CDDPL', ['F']), clarify_DD_unconditional!, 'DD');
    compared += 2;
  });

  test('that makes 347 values', () => {
    expect(compared).toBe(347);
  });
});

const numbersOf = (library: LibraryName, rows: Parameters<typeof inputFrom>[0]) =>
  LIBRARIES[library].numbers(inputFrom(rows));

describe('every library', () => {
  const ghost = inputFrom({ labels: [], predictions: [], groups: ['G'], reference: 'G' }).groups;

  test.each(LIBRARY_NAMES)('%s meets no group without rows, which ours still has', (library) => {
    const input = inputOf(reference.R1);
    const names = (numbers: readonly LibraryNumber[]) =>
      numbers.map(({ name, group, value }) => [name, group, value]);
    const withGhost = LIBRARIES[library].numbers({ ...input, groups: [...input.groups, ...ghost] });
    expect(names(withGhost)).toEqual(names(LIBRARIES[library].numbers(input)));
    expect(withGhost.length).toBeGreaterThan(0);
  });

  test.each(LIBRARY_NAMES)(
    '%s has nothing to say without rows, and compares nothing without a reference',
    (library) => {
      expect(LIBRARIES[library].numbers({ groups: ghost, reference: null, strata: [] })).toEqual([]);
      const { groups } = inputOf(reference.R1);
      const alone = LIBRARIES[library].numbers({ groups, reference: null, strata: [] });
      expect(alone.filter(({ against }) => against === 'A')).toEqual([]);
    },
  );

  test('fairlearn and AIF360 count weights, the others rows', () => {
    const rows = { labels: [1, 1, 0, 1, 1, 0], predictions: [1, 0, 0, 1, 0, 1], reference: 'A' };
    const weighted = { ...rows, groups: ['A', 'A', 'A', 'B', 'B', 'B'], weights: [3, 1, 2, 1, 3, 2] };
    const tpr = findNumber(numbersOf('fairlearn', weighted), 'equal_opportunity_difference', [null]);
    expect(tpr).toMatchObject({ value: 3 / 4 - 1 / 4, ours: { value: 3 / 4 - 1 / 4 } });
    const aif = numbersOf('aif360', weighted);
    expect(findNumber(aif, 'equal_opportunity_difference', ['B']).value).toBe(1 / 4 - 3 / 4);
    // benefits 1, 0, 1, 1, 0, 2 of six rows: mean 5/6, of squares 7/6
    expect(findNumber(aif, 'generalized_entropy_index', [null]).value).toBeCloseTo(
      (7 / 6 / (5 / 6) ** 2 - 1) / 2,
      12,
    );
    expect(findNumber(numbersOf('aequitas', weighted), 'tpr', ['A']).value).toBe(1 / 2);
  });

  test('numbersAs prints each feature, of each class where there are several', () => {
    const feature = { ...inputOf(reference.R1), sensitiveFeature: 'sex' } as unknown as FeatureAudit;
    const binary = numbersAs('oxonfair', { features: [feature] });
    expect(binary).toMatchObject({
      library: 'oxonfair',
      title: 'OxonFair',
      features: [{ sensitiveFeature: 'sex' }],
    });
    expect(binary.features[0]!.numbers).toEqual(LIBRARIES.oxonfair.numbers(feature));
    const classes = ['cat', 'dog'].map((label) => ({
      label,
      overall: feature.groups[0]!,
      features: [feature],
    }));
    const several = numbersAs('clarify', { features: [feature], classes }, () => []);
    expect(several.features.map(({ label, numbers }) => [label, numbers])).toEqual([
      ['cat', []],
      ['dog', []],
    ]);
  });
});
