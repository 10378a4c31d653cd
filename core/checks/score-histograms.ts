/** Counts by group between edges that all groups share. */
export interface GroupHistogram {
  /** [bins + 1] in ascending order */
  readonly edges: readonly number[];
  readonly groups: readonly {
    readonly group: string;
    readonly support: number;
    /** [bins]; the last takes its upper edge in */
    readonly counts: readonly number[];
    /** Null without a sample. */
    readonly mean: number | null;
  }[];
}

/** How sure the model is of the class that it names: max(p, 1 − p), p = 1 / (1 + e^−z), in [0.5, 1]. */
export function confidences(logits: ArrayLike<number>): Float64Array {
  return Float64Array.from(logits, (z) => 1 / (1 + Math.exp(-Math.abs(z))));
}

/**
 * Energy of samples under the model, low where it has seen the like (Liu et al., NeurIPS 2020, equation 3, with
 * temperature 1). A model of one logit z is that of two classes with logits 0 and z:
 *
 *   E = −log(e^0 + e^z) = −max(z, 0) − log(1 + e^−|z|)
 */
export function energies(logits: ArrayLike<number>): Float64Array {
  return Float64Array.from(logits, (z) => -Math.max(z, 0) - Math.log1p(Math.exp(-Math.abs(z))));
}

interface Cells {
  /** [N] indices into `groupNames` */
  readonly groups: ArrayLike<number>;
  readonly groupNames: readonly string[];
}

interface HistogramOptions {
  readonly bins?: number;
  /** Values outside are counted at its ends; that of the values when absent. */
  readonly range?: readonly [number, number];
}

const BINS = 20;

/** @param values  [N], finite */
export function groupHistogram(
  values: ArrayLike<number>,
  { groups, groupNames }: Cells,
  { bins = BINS, range = rangeOf(values) }: HistogramOptions = {},
): GroupHistogram {
  const [low, high] = range;
  const width = (high - low) / bins;
  const found = groupNames.map((group) => ({
    group,
    support: 0,
    sum: 0,
    counts: new Array<number>(bins).fill(0),
  }));
  for (let row = 0; row < values.length; row += 1) {
    const own = found[groups[row]!]!;
    const bin = width > 0 ? Math.floor((values[row]! - low) / width) : 0;
    own.counts[Math.max(0, Math.min(bins - 1, bin))]! += 1;
    own.support += 1;
    own.sum += values[row]!;
  }
  return {
    edges: Array.from({ length: bins + 1 }, (_, edge) => (edge === bins ? high : low + edge * width)),
    groups: found.map(({ sum, ...own }) => ({ ...own, mean: own.support === 0 ? null : sum / own.support })),
  };
}

function rangeOf(values: ArrayLike<number>): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let row = 0; row < values.length; row += 1) {
    low = Math.min(low, values[row]!);
    high = Math.max(high, values[row]!);
  }
  return low <= high ? [low, high] : [0, 0];
}
