/** Value and gradient of a function at a point. */
export interface Evaluation {
  readonly value: number;
  readonly gradient: Float64Array;
}

export interface MinimizeOptions<E extends Evaluation> {
  readonly iterations: number;
  /** Converged when the largest absolute entry of the gradient is at or below this. */
  readonly tolerance: number;
  /** Called at the start (step 0) and after each accepted step. */
  readonly onStep?: (step: number, at: E) => void;
}

const MEMORY = 10;
const SUFFICIENT_DECREASE = 1e-4;
const MOST_HALVINGS = 30;

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly curvature: number;
}

/**
 * Minimises a smooth function by L-BFGS with a backtracking line search (Nocedal and Wright, Numerical
 * Optimization, algorithm 7.5). Deterministic; stops at `tolerance`, after `iterations` steps, or when no step
 * along the direction lowers the value, which is where a float32 gradient ends.
 *
 * @param evaluate  value and gradient at a point [D]
 * @param start  [D]
 * @returns the best point found [D]
 */
export function minimize<E extends Evaluation>(
  evaluate: (point: Float64Array) => E,
  start: Float64Array,
  { iterations, tolerance, onStep }: MinimizeOptions<E>,
): Float64Array {
  let point = start;
  let at = evaluate(point);
  const pairs: Pair[] = [];
  onStep?.(0, at);
  for (let step = 1; step <= iterations && largest(at.gradient) > tolerance; step += 1) {
    const next = searchLine(evaluate, { point, at, direction: descentDirection(at.gradient, pairs) });
    if (next === null) break;
    remember(pairs, subtract(next.point, point), subtract(next.at.gradient, at.gradient));
    ({ point, at } = next);
    onStep?.(step, at);
  }
  return point;
}

/** Two-loop recursion: -H · gradient. */
function descentDirection(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  let direction: Float64Array = gradient.map((entry) => -entry);
  const weights: number[] = [];
  for (const { step, change, curvature } of pairs.toReversed()) {
    const weight = dot(step, direction) / curvature;
    weights.unshift(weight);
    direction = addScaled(direction, change, -weight);
  }
  const last = pairs.at(-1);
  const scale = last
    ? last.curvature / dot(last.change, last.change)
    : 1 / Math.max(1, Math.sqrt(dot(gradient, gradient)));
  direction = direction.map((entry) => entry * scale);
  for (const [place, { step, change, curvature }] of pairs.entries()) {
    direction = addScaled(direction, step, weights[place]! - dot(change, direction) / curvature);
  }
  return direction;
}

function searchLine<E extends Evaluation>(
  evaluate: (point: Float64Array) => E,
  { point, at, direction }: { point: Float64Array; at: E; direction: Float64Array },
): { point: Float64Array; at: E } | null {
  const slope = dot(at.gradient, direction);
  if (slope >= 0) return null;
  let length = 1;
  for (let halving = 0; halving < MOST_HALVINGS; halving += 1) {
    const candidate = addScaled(point, direction, length);
    const there = evaluate(candidate);
    if (there.value <= at.value + SUFFICIENT_DECREASE * length * slope)
      return { point: candidate, at: there };
    length /= 2;
  }
  return null;
}

/** A pair without positive curvature would make the next direction point uphill, so it is left out. */
function remember(pairs: Pair[], step: Float64Array, change: Float64Array): void {
  const curvature = dot(step, change);
  if (curvature <= 1e-12 * dot(change, change)) return;
  pairs.push({ step, change, curvature });
  if (pairs.length > MEMORY) pairs.shift();
}

const dot = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, entry, place) => sum + entry * b[place]!, 0);
const largest = (values: Float64Array): number =>
  values.reduce((most, entry) => Math.max(most, Math.abs(entry)), 0);
const addScaled = (a: Float64Array, b: Float64Array, factor: number): Float64Array =>
  a.map((entry, place) => entry + factor * b[place]!);
const subtract = (a: Float64Array, b: Float64Array): Float64Array => addScaled(a, b, -1);
