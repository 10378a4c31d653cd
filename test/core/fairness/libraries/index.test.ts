import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { clarifyNumbers } from '../../../../core/fairness/libraries/clarify.ts';
import type { LibraryName } from '../../../../core/fairness/libraries/index.ts';
import { LIBRARIES, LIBRARY_NAMES, numbersAs } from '../../../../core/fairness/libraries/index.ts';
import type { LibraryInput, LibraryNumber, PrintedValue } from '../../../../core/fairness/libraries/types.ts';
import type { ConfusionCounts, FeatureAudit } from '../../../../core/fairness/types.ts';
import { groupFrom } from '../../../helpers/metric-tables.ts';

type Values = Readonly<Record<string, PrintedValue>>;
type Block = PrintedValue | Values | Readonly<Record<string, Values>>;
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

const NOBODY = { truePositives: 0, falsePositives: 0, trueNegatives: 0, falseNegatives: 0 };
const CELLS = [
  ['trueNegatives', 'falsePositives'],
  ['falseNegatives', 'truePositives'],
] as const;

function countsOf(labels: readonly number[], predictions: readonly number[], rows: readonly number[]) {
  const counts: Record<keyof ConfusionCounts, number> = { ...NOBODY };
  for (const row of rows) counts[CELLS[labels[row]!]![predictions[row]!]!] += 1;
  return counts;
}

/** A feature as an audit would have it; every label counts as positive where a table has none. */
function inputOf({ data }: Table, referenceGroup = 'A'): LibraryInput {
  const { y_pred, group, stratum, y_true = y_pred.map(() => 1) } = data;
  const rowsWhere = (isWanted: (row: number) => boolean) => [...group.keys()].filter(isWanted);
  const names = [...new Set(group)].sort();
  const counts = (name: string, within?: string) =>
    countsOf(
      y_true,
      y_pred,
      rowsWhere((row) => group[row] === name && (within === undefined || stratum![row] === within)),
    );
  return {
    groups: names.map((name) => groupFrom(name, counts(name))),
    reference: { group: referenceGroup, rule: 'named' },
    strata: [...new Set(stratum ?? [])].map((within) => ({
      stratum: within,
      counts: names.map((name) => counts(name, within)),
    })),
  };
}

/** The number of a name that is about the first of the groups that has one. */
function find(numbers: readonly LibraryNumber[], name: string, groups: readonly (string | null)[]) {
  for (const group of groups) {
    const found = numbers.find((number) => number.name === name && number.group === group);
    if (found !== undefined) return found;
  }
  throw new Error(`no ${name} of ${groups.join(' or ')}`);
}

function expectValue(number: LibraryNumber, expected: PrintedValue, what: string) {
  if (typeof expected === 'number') expect(number.value, what).toBeCloseTo(expected, 12);
  else expect(number.value, what).toBe(expected);
  expect(number.value === null, what).toBe(number.reason !== undefined);
}

const FAIRLEARN_NAMES: Readonly<Record<string, string>> = {
  demographic_parity_difference_to_overall: "demographic_parity_difference(method='to_overall')",
  equalized_odds_difference_worst_case: 'equalized_odds_difference',
  equalized_odds_difference_mean: "equalized_odds_difference(agg='mean')",
  equalized_odds_ratio_worst_case: 'equalized_odds_ratio',
  equalized_odds_ratio_mean: "equalized_odds_ratio(agg='mean')",
};
const AIF360_NAMES: Readonly<Record<string, string>> = {
  smoothed_edf_of_labels: 'smoothed_empirical_differential_fairness',
};
const PARITIES: Readonly<Record<string, string>> = {
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
    const values = reference[table][block] as Readonly<Record<string, Block>>;
    for (const [key, expected] of Object.entries(values)) {
      const nested = typeof expected === 'object' && expected !== null;
      for (const [name, value] of nested ? Object.entries(expected as Values) : [[key, expected] as const]) {
        const spelled = FAIRLEARN_NAMES[name] ?? AIF360_NAMES[name] ?? PARITIES[name] ?? name;
        const number = find(numbers, spelled, [nested ? key : group, null]);
        expectValue(number, value as PrintedValue, `${key} ${name}`);
        compared += 1;
      }
    }
  });

  test('R1: the BMFT code and MEDFAIR', () => {
    const { medfair_EqOdd, ...ofBmft } = reference.R1.bmft_and_medfair_priv_A as Record<string, number>;
    const input = inputOf(reference.R1);
    for (const [name, value] of Object.entries(ofBmft)) {
      expectValue(find(LIBRARIES.bmft.numbers(input), name, ['B']), value, name);
    }
    expectValue(find(LIBRARIES.medfair.numbers(input), 'EqOdd', ['B']), medfair_EqOdd!, 'EqOdd');
    compared += Object.keys(ofBmft).length + 1;
  });

  test('R3: label distances by definition stand beside those that leave a label out', () => {
    const proper = reference.R3.proper_label_distances_C as { KL: string; TVD: number };
    const numbers = LIBRARIES.clarify.numbers(inputOf(reference.R3));
    expect(find(numbers, 'TVD', ['C']).ours!.value).toBeCloseTo(proper.TVD, 12);
    expect(proper.KL).toBe('Infinity');
    expect(find(numbers, 'KL', ['C']).ours).toMatchObject({
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
    const conditional = find(clarifyNumbers(within), 'CDDPL', ['F']);
    expectValue(conditional, clarify_CDDPL!, 'CDDPL');
    expect(conditional.ours!.value).toBeCloseTo(clarify_CDDPL!, 12);
    expectValue(find(clarifyNumbers(asOne), 'CDDPL', ['F']), clarify_DD_unconditional!, 'DD');
    compared += 2;
  });

  test('that makes 347 values', () => {
    expect(compared).toBe(347);
  });
});
