import type { SensitiveFeature } from './types.ts';

/** Rows of one label whose prediction changed. */
interface LabelFlips {
  readonly support: number;
  /** Predicted negative before, positive after. */
  readonly toPositive: number;
  readonly toNegative: number;
}

/** Counts only: nothing here tells which rows they are. */
export interface GroupFlips {
  /** Group name, or `(all)` for the whole set. */
  readonly group: string;
  readonly positives: LabelFlips;
  readonly negatives: LabelFlips;
  /** Wrong before, right after. */
  readonly gained: number;
  /** Right before, wrong after. */
  readonly lost: number;
}

export interface FeatureFlips {
  readonly sensitiveFeature: string;
  readonly groups: readonly GroupFlips[];
}

/** Changed predictions of one set of rows. */
export interface SetFlips {
  readonly overall: GroupFlips;
  readonly features: readonly FeatureFlips[];
}

interface FlipsInput {
  /** [N] 0 or 1, as are the predictions */
  readonly labels: ArrayLike<number>;
  readonly before: ArrayLike<number>;
  readonly after: ArrayLike<number>;
  /** Groups [N]; a negative group belongs to none. */
  readonly sensitiveFeatures: readonly SensitiveFeature[];
}

/**
 * Whose prediction changed, by group, truth and direction.
 *
 *   gained = #(y=1, 0 → 1) + #(y=0, 1 → 0)     lost = #(y=1, 1 → 0) + #(y=0, 0 → 1)
 */
export function flipsOf(input: FlipsInput): SetFlips {
  const { labels, sensitiveFeatures } = input;
  const everyRow = Array.from({ length: labels.length }, (_, row) => row);
  return {
    overall: groupFlips('(all)', everyRow, input),
    features: sensitiveFeatures.map(({ name, groupNames, groups }) => ({
      sensitiveFeature: name,
      groups: groupNames.map((group, index) =>
        groupFlips(
          group,
          everyRow.filter((row) => groups[row] === index),
          input,
        ),
      ),
    })),
  };
}

function groupFlips(group: string, rows: readonly number[], input: FlipsInput): GroupFlips {
  const positives = labelFlips(1, rows, input);
  const negatives = labelFlips(0, rows, input);
  return {
    group,
    positives,
    negatives,
    gained: positives.toPositive + negatives.toNegative,
    lost: positives.toNegative + negatives.toPositive,
  };
}

function labelFlips(
  label: 0 | 1,
  rows: readonly number[],
  { labels, before, after }: FlipsInput,
): LabelFlips {
  const own = rows.filter((row) => labels[row] === label);
  const flipped = (to: 0 | 1) => own.filter((row) => before[row] !== to && after[row] === to).length;
  return { support: own.length, toPositive: flipped(1), toNegative: flipped(0) };
}
