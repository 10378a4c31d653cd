import { fitLogistic } from './logistic.ts';
import { standardizationOf, standardized } from './standardization.ts';

export interface LabelledRows {
  /** [N · F], row by row */
  readonly values: Float32Array;
  readonly width: number;
  /** [N] 0 or 1 */
  readonly labels: Int32Array;
}

/** [M · F] → [M] logits */
export type LogisticClassifier = (values: Float32Array) => Float64Array;

/**
 * Logistic regression with L2 on standardised features, as scikit-learn has it after a StandardScaler. A feature that
 * never varies gets weight 0.
 *
 * @param strength  how much the loss weighs against the penalty, > 0; scikit-learn's C
 */
export function fitLogisticClassifier(
  { values, width, labels }: LabelledRows,
  strength: number,
): LogisticClassifier {
  const scale = standardizationOf(values, width);
  const offsets = new Float64Array(labels.length);
  const weights = fitLogistic(
    { features: standardized(values, scale), width, labels, offsets, hasIntercept: true },
    { penalty: 'l2', strength },
  );
  return (others) => logitsOf(standardized(others, scale), weights);
}

/** [M] */
function logitsOf(features: Float32Array, weights: Float64Array): Float64Array {
  const width = weights.length - 1;
  const logits = new Float64Array(features.length / width).fill(weights[width]!);
  for (let row = 0, start = 0; row < logits.length; row += 1, start += width) {
    for (let place = 0; place < width; place += 1) logits[row]! += features[start + place]! * weights[place]!;
  }
  return logits;
}
