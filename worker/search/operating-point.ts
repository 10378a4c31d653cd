import { EmptyGroupError } from '../../core/errors.ts';

export interface OperatingPointInput {
  /** [N] finite */
  readonly logits: Float32Array;
  /** [N] 0 or 1 */
  readonly labels: Int32Array;
  /** [N] */
  readonly groups: Int32Array;
  /** Least true positive rate of each group, in [0, 1]. */
  readonly leastTruePositiveRates: readonly number[];
}

/**
 * The cut on the logit with the highest balanced accuracy among those that keep every group's true positive
 * rate at or above its minimum. Cuts lie halfway between neighbouring logits.
 *
 * @returns a logit; samples at or above it are predicted positive
 * @throws EmptyGroupError when the rows hold one class only
 */
export function operatingPoint({
  logits,
  labels,
  groups,
  leastTruePositiveRates,
}: OperatingPointInput): number {
  const positives = leastTruePositiveRates.map(
    (_, group) => labels.filter((label, row) => label === 1 && groups[row] === group).length,
  );
  const allPositives = labels.reduce((sum, label) => sum + label, 0);
  const allNegatives = labels.length - allPositives;
  if (allPositives === 0 || allNegatives === 0) {
    throw new EmptyGroupError(
      `threshold: expected both classes among ${labels.length} samples, received one`,
    );
  }
  const order = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]!);
  const found = { groups: positives.map(() => 0), positives: 0, negatives: 0 };
  let best = { accuracy: -1, cut: Number.NaN };
  for (const [place, row] of order.entries()) {
    if (labels[row] === 1) {
      found.positives += 1;
      found.groups[groups[row]!]! += 1;
    } else found.negatives += 1;
    const next = order[place + 1];
    if (next !== undefined && logits[next] === logits[row]) continue;
    const keepsAll = leastTruePositiveRates.every(
      (least, group) => positives[group] === 0 || found.groups[group]! / positives[group]! >= least,
    );
    const accuracy = (found.positives / allPositives + 1 - found.negatives / allNegatives) / 2;
    if (!keepsAll || accuracy <= best.accuracy) continue;
    best = { accuracy, cut: next === undefined ? logits[row]! - 1 : (logits[row]! + logits[next]!) / 2 };
  }
  return best.cut;
}
