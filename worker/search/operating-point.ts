import { EmptyGroupError } from '../../core/errors.ts';

export interface OperatingPointInput {
  /** [N] finite */
  readonly logits: Float32Array;
  /** [N] 0 or 1 */
  readonly labels: Int32Array;
  /** One for each way in which the rows are divided into groups. */
  readonly rails: readonly {
    /** [N]; -1 for a row that is in none */
    readonly groups: Int32Array;
    /** Least true positive rate of each group, in [0, 1]. */
    readonly leastTruePositiveRates: readonly number[];
  }[];
}

/**
 * The cut on the logit with the highest balanced accuracy among those that keep every group's true positive
 * rate at or above its minimum. Cuts lie halfway between neighbouring logits.
 *
 * @returns a logit; samples at or above it are predicted positive
 * @throws EmptyGroupError when the rows hold one class only
 */
export function operatingPoint({ logits, labels, rails }: OperatingPointInput): number {
  const tallies = rails.map((rail) => startTally(rail, labels));
  const [allNegatives, allPositives] = countLabels(labels);
  const order = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]!);
  const found = [0, 0]; // negatives, positives
  let best = { accuracy: -1, cut: Number.NaN };
  for (const [place, row] of order.entries()) {
    found[labels[row]!]! += 1;
    for (const tally of tallies) tally.add(row);
    const next = order[place + 1];
    if (next !== undefined && logits[next] === logits[row]) continue;
    const accuracy = (found[1]! / allPositives + 1 - found[0]! / allNegatives) / 2;
    if (accuracy <= best.accuracy || !tallies.every((tally) => tally.keepsAll())) continue;
    best = { accuracy, cut: next === undefined ? logits[row]! - 1 : (logits[row]! + logits[next]!) / 2 };
  }
  return best.cut;
}

function countLabels(labels: Int32Array): [number, number] {
  const positives = labels.reduce((sum, label) => sum + label, 0);
  if (positives > 0 && positives < labels.length) return [labels.length - positives, positives];
  throw new EmptyGroupError(`threshold: expected both classes among ${labels.length} samples, received one`);
}

/** Counts positives of each group as they are found. */
function startTally(
  { groups, leastTruePositiveRates }: OperatingPointInput['rails'][number],
  labels: Int32Array,
) {
  const positives = leastTruePositiveRates.map(
    (_, group) => labels.filter((label, row) => label === 1 && groups[row] === group).length,
  );
  const found = positives.map(() => 0);
  return {
    add: (row: number) => {
      const group = groups[row]!;
      if (group >= 0 && labels[row] === 1) found[group]! += 1;
    },
    keepsAll: () =>
      leastTruePositiveRates.every(
        (least, group) => positives[group] === 0 || found[group]! / positives[group]! >= least,
      ),
  };
}
