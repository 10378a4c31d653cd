import { minimize } from './lbfgs.ts';

export interface LogisticInput {
  /** [N · F], row by row */
  readonly features: Float32Array;
  readonly width: number;
  /** [N] 0 or 1 */
  readonly labels: Int32Array;
  /** [N] added to the logits */
  readonly offsets: Float64Array;
  readonly hasIntercept: boolean;
}

export interface LogisticOptions {
  readonly penalty: 'l1' | 'l2';
  /** How much the loss weighs against the penalty, > 0; scikit-learn's C. */
  readonly strength: number;
}

const ITERATIONS = 2000;
/** Of the largest entry of a gradient, or of what stands for one under the L1 penalty. */
const TOLERANCE = 1e-6;

/**
 * Logistic regression as scikit-learn has it, the intercept not penalised:
 *
 *   minimise over w, b   C Σ log-loss(x · w + b + offset) + |w|₁   or   … + ½ |w|²
 *
 * L2 by L-BFGS, L1 by FISTA with restarts (Beck and Teboulle 2009; O'Donoghue and Candès 2015).
 *
 * @returns [F] weights, then the intercept if there is one
 */
export function fitLogistic(input: LogisticInput, options: LogisticOptions): Float64Array {
  const start = new Float64Array(input.width + (input.hasIntercept ? 1 : 0));
  if (options.penalty === 'l1') return proximalDescent(input, options.strength, start);
  return minimize((point) => ridgeAt(input, options.strength, point), start, {
    iterations: ITERATIONS,
    tolerance: TOLERANCE,
  });
}

/** C Σ log-loss with its gradient. */
function lossAt({ features, width, labels, offsets }: LogisticInput, strength: number, point: Float64Array) {
  const gradient = new Float64Array(point.length);
  let value = 0;
  for (let row = 0, start = 0; row < labels.length; row += 1, start += width) {
    let logit = offsets[row]! + (point[width] ?? 0);
    for (let place = 0; place < width; place += 1) logit += features[start + place]! * point[place]!;
    value += strength * (Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - labels[row]! * logit);
    const slope = strength * (1 / (1 + Math.exp(-logit)) - labels[row]!);
    for (let place = 0; place < width; place += 1) gradient[place]! += slope * features[start + place]!;
    if (point.length > width) gradient[width]! += slope;
  }
  return { value, gradient };
}

function ridgeAt(input: LogisticInput, strength: number, point: Float64Array) {
  const { value, gradient } = lossAt(input, strength, point);
  let penalty = 0;
  for (let place = 0; place < input.width; place += 1) {
    penalty += point[place]! ** 2 / 2;
    gradient[place]! += point[place]!;
  }
  return { value: value + penalty, gradient };
}

/** Steps of 1/L along the gradient from a point that looks ahead, then soft thresholds; restarts when it turns back. */
function proximalDescent(input: LogisticInput, strength: number, start: Float64Array): Float64Array {
  const curvature = (strength / 4) * largestEigenvalue(input);
  let [point, ahead, momentum] = [start, start, 1];
  for (let iteration = 0; iteration < ITERATIONS; iteration += 1) {
    const { gradient } = lossAt(input, strength, ahead);
    const from = ahead;
    const next = ahead.map((entry, place) => {
      const moved = entry - gradient[place]! / curvature;
      return place < input.width ? softThreshold(moved, 1 / curvature) : moved;
    });
    const step = next.map((entry, place) => entry - point[place]!);
    const turnsBack = step.reduce((sum, entry, place) => sum + (from[place]! - next[place]!) * entry, 0) > 0;
    const grown = turnsBack ? 1 : (1 + Math.sqrt(1 + 4 * momentum ** 2)) / 2;
    const weight = turnsBack ? 0 : (momentum - 1) / grown;
    ahead = next.map((entry, place) => entry + weight * step[place]!);
    [point, momentum] = [next, grown];
    const largest = next.reduce((most, entry, place) => Math.max(most, Math.abs(entry - from[place]!)), 0);
    if (largest * curvature < TOLERANCE) break;
  }
  return point;
}

function softThreshold(value: number, by: number): number {
  return Math.sign(value) * Math.max(0, Math.abs(value) - by);
}

/** Of XᵀX with the column of the intercept, by power iteration; at most a tenth too large. */
function largestEigenvalue(input: LogisticInput): number {
  let vector = new Float64Array(input.width + (input.hasIntercept ? 1 : 0)).fill(1);
  let value = 1;
  for (let iteration = 0; iteration < 100; iteration += 1) {
    const product = gramTimes(input, vector);
    value = Math.sqrt(product.reduce((sum, entry) => sum + entry ** 2, 0)) || 1;
    vector = product.map((entry) => entry / value);
  }
  return value * 1.1;
}

function gramTimes(
  { features, width, labels }: LogisticInput,
  vector: Float64Array,
): Float64Array<ArrayBuffer> {
  const product = new Float64Array(vector.length);
  for (let row = 0, start = 0; row < labels.length; row += 1, start += width) {
    let sum = vector[width] ?? 0;
    for (let place = 0; place < width; place += 1) sum += features[start + place]! * vector[place]!;
    for (let place = 0; place < width; place += 1) product[place]! += sum * features[start + place]!;
    if (vector.length > width) product[width]! += sum;
  }
  return product;
}
