import { readFileSync } from 'node:fs';
import path from 'node:path';
import { balancedAccuracy, ratesOf } from '../../core/fairness/rates.ts';
import type { ConfusionCounts, GroupMetrics, SensitiveFeature } from '../../core/fairness/types.ts';

interface ReferenceTable {
  readonly data: {
    readonly y_true: number[];
    readonly y_pred: number[];
    readonly group: string[];
    readonly score?: number[];
  };
  readonly counts: Readonly<Record<string, { TP: number; FP: number; FN: number; TN: number }>>;
  readonly rates?: Readonly<Record<string, Readonly<Record<string, number | null>>>>;
  readonly honest_rates?: Readonly<Record<string, Readonly<Record<string, number | null>>>>;
  readonly fairlearn: Readonly<Record<string, number>>;
  readonly score?: {
    readonly auc_overall: number;
    readonly auc: Readonly<Record<string, number>>;
    readonly auc_gap: number;
    readonly auc_delong_se: Readonly<Record<string, number>>;
    readonly xauc_gap: number;
    readonly xauc_posA_negB: number;
    readonly xauc_posB_negA: number;
    readonly brier: Readonly<Record<string, number>>;
  };
  readonly stats?: {
    readonly selection_wilson95: Readonly<Record<string, readonly number[]>>;
    readonly tpr_wilson95: Readonly<Record<string, readonly number[]>>;
    readonly dpd_newcombe95: readonly number[];
    readonly z: number;
    readonly fisher_two_sided: number;
  };
  readonly chi2_selection_df2?: number;
  readonly bmft_and_medfair_priv_A?: Readonly<Record<string, number>>;
}

/** Rows in strata that explain the gap between their groups. */
interface StratifiedTable {
  readonly data: { readonly stratum: string[]; readonly group: string[]; readonly y_pred: number[] };
  readonly clarify_CDDPL: number;
  readonly clarify_DD_unconditional: number;
}

const file = path.join(import.meta.dirname, '../fixtures/metrics/reference.json');

/** Worked tables with what fairlearn, AIF360, Clarify and others make of them. */
export const referenceTables = JSON.parse(readFileSync(file, 'utf8')) as Readonly<
  Record<'R1' | 'R2' | 'R3', ReferenceTable> & { readonly R4: StratifiedTable }
>;

export function featureOf(group: readonly string[], name = 'group'): SensitiveFeature {
  const groupNames = [...new Set(group)].sort();
  return { name, groupNames, groups: Int32Array.from(group, (value) => groupNames.indexOf(value)) };
}

const NO_SCORES = { value: null, reason: 'no scores', interval: null };

/** Metrics of a group from its confusion table alone. */
export function groupFrom(group: string, counts: ConfusionCounts): GroupMetrics {
  const rates = ratesOf(counts);
  return {
    group,
    support: rates.selectionRate.support,
    positives: rates.truePositiveRate.support,
    negatives: rates.falsePositiveRate.support,
    counts,
    rates,
    balancedAccuracy: balancedAccuracy(rates),
    auc: NO_SCORES,
    isSmall: false,
    brier: NO_SCORES,
    specificityAtSensitivity: { ...NO_SCORES, sensitivity: 0.9 },
    calibration: null,
    sweep: null,
  };
}

/** Counts that give the rates asked for on `support` positives and as many negatives. */
export function countsFor({
  tpr,
  fpr,
  support = 10,
}: {
  tpr: number;
  fpr: number;
  support?: number;
}): ConfusionCounts {
  const truePositives = Math.round(tpr * support);
  const falsePositives = Math.round(fpr * support);
  return {
    truePositives,
    falseNegatives: support - truePositives,
    falsePositives,
    trueNegatives: support - falsePositives,
  };
}
