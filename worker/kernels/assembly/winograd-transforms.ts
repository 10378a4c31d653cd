import { multiplyAdd } from './arithmetic';
import { int, partStart, pointer } from './call';
import { PANEL_STEP } from './product-tile';

/*
 * Transforms of minimal filtering F(4, 3): with polynomials x of degree 5, g of degree 2 and their values at the
 * points 0, ±1/√2, ±√2 and ∞,
 *
 *   y = Aᵀ ((G g) · (Bᵀ x))
 *
 *   Bᵀ = 1   0    −5/2  0     1  0     G = 1     0    0       Aᵀ = 1  1    1     1    1   0
 *        0  −√2  −2     √½    1  0         −2/3 (1   √½   ½)       0  √½  −√½   √2  −√2   0
 *        0   √2  −2    −√½    1  0         −2/3 (1  −√½   ½)       0  ½    ½     2    2   0
 *        0  −√½  −½     √2    1  0          1/6 (1   √2   2)       0  √⅛  −√⅛   √8  −√8   1
 *        0   √½  −½    −√2    1  0          1/6 (1  −√2   2)
 *        0   1    0    −5/2   0  1           0   0    1
 *
 * The same sum of products, over y in place of g, gives the gradient by the filter:
 *
 *   dg = Gᵀ ((A dy) · (Bᵀ x))
 *
 * These points keep what the transforms add to the rounding of a plain sum about as small as that itself; with the
 * usual 0, ±1, ±2, ∞ it is four times as much.
 */

/** A square of 4 × 4 outputs takes 6 × 6 inputs and, as a product of polynomials, 36 products in place of 144. */
export const SIDE = 4;
export const SPAN = 6;
export const POINTS = SPAN * SPAN;

const ROOT_2: f32 = 1.4142135623730951;
const ROOT_HALF: f32 = 0.7071067811865476;
const ROOT_8: f32 = 2.8284271247461903;
const ROOT_EIGHTH: f32 = 0.3535533905932738;

/** 6 values of the input, `fromStep` apart → Bᵀ · them. */
@inline
export function inputLine(from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const x0 = v128.load(from);
  from += fromStep;
  const x1 = v128.load(from);
  from += fromStep;
  const x2 = v128.load(from);
  from += fromStep;
  const x3 = v128.load(from);
  from += fromStep;
  const x4 = v128.load(from);
  from += fromStep;
  const x5 = v128.load(from);
  const minusHalf = f32x4.splat(-0.5);
  const minusTwo = f32x4.splat(-2);
  const middle = f32x4.splat(-2.5);
  const even = multiplyAdd(x2, minusTwo, x4);
  const odd = f32x4.mul(multiplyAdd(x1, minusTwo, x3), f32x4.splat(ROOT_HALF));
  const evenFar = multiplyAdd(x2, minusHalf, x4);
  const oddFar = f32x4.mul(multiplyAdd(x1, minusHalf, x3), f32x4.splat(ROOT_2));
  v128.store(to, multiplyAdd(x2, middle, f32x4.add(x0, x4)));
  to += toStep;
  v128.store(to, f32x4.add(even, odd));
  to += toStep;
  v128.store(to, f32x4.sub(even, odd));
  to += toStep;
  v128.store(to, f32x4.add(evenFar, oddFar));
  to += toStep;
  v128.store(to, f32x4.sub(evenFar, oddFar));
  to += toStep;
  v128.store(to, multiplyAdd(x3, middle, f32x4.add(x1, x5)));
}

/** 6 products, `fromStep` apart → Aᵀ · them, 4 values; they may take the place of the first four. */
@inline
export function outputLine(from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const x0 = v128.load(from);
  from += fromStep;
  const x1 = v128.load(from);
  from += fromStep;
  const x2 = v128.load(from);
  from += fromStep;
  const x3 = v128.load(from);
  from += fromStep;
  const x4 = v128.load(from);
  from += fromStep;
  const x5 = v128.load(from);
  const even = f32x4.add(x1, x2);
  const odd = f32x4.sub(x1, x2);
  const evenFar = f32x4.add(x3, x4);
  const oddFar = f32x4.sub(x3, x4);
  v128.store(to, f32x4.add(f32x4.add(x0, even), evenFar));
  to += toStep;
  v128.store(to, multiplyAdd(odd, f32x4.splat(ROOT_HALF), f32x4.mul(oddFar, f32x4.splat(ROOT_2))));
  to += toStep;
  v128.store(to, multiplyAdd(even, f32x4.splat(0.5), f32x4.add(evenFar, evenFar)));
  const far = multiplyAdd(oddFar, f32x4.splat(ROOT_8), x5);
  to += toStep;
  v128.store(to, multiplyAdd(odd, f32x4.splat(ROOT_EIGHTH), far));
}

/** 3 values of the filter, `fromStep` apart → G · them. */
@inline
function filterLine(from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const x0 = v128.load(from);
  const x1 = v128.load(from + fromStep);
  const x2 = v128.load(from + 2 * fromStep);
  const near = f32x4.splat(-2 / <f32>3);
  const far = f32x4.splat(1 / <f32>6);
  const even = multiplyAdd(x2, f32x4.splat(0.5), x0);
  const odd = f32x4.mul(x1, f32x4.splat(ROOT_HALF));
  const evenFar = multiplyAdd(x2, f32x4.splat(2), x0);
  const oddFar = f32x4.mul(x1, f32x4.splat(ROOT_2));
  v128.store(to, x0);
  v128.store(to + toStep, f32x4.mul(f32x4.add(even, odd), near));
  v128.store(to + 2 * toStep, f32x4.mul(f32x4.sub(even, odd), near));
  v128.store(to + 3 * toStep, f32x4.mul(f32x4.add(evenFar, oddFar), far));
  v128.store(to + 4 * toStep, f32x4.mul(f32x4.sub(evenFar, oddFar), far));
  v128.store(to + 5 * toStep, x2);
}

/** 4 values of dy, `fromStep` apart → A · them. */
@inline
export function gradientLine(from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const x0 = v128.load(from);
  from += fromStep;
  const x1 = v128.load(from);
  from += fromStep;
  const x2 = v128.load(from);
  from += fromStep;
  const x3 = v128.load(from);
  const half = f32x4.splat(0.5);
  const two = f32x4.splat(2);
  const even = multiplyAdd(x2, half, x0);
  const odd = f32x4.mul(multiplyAdd(x3, half, x1), f32x4.splat(ROOT_HALF));
  const evenFar = multiplyAdd(x2, two, x0);
  const oddFar = f32x4.mul(multiplyAdd(x3, two, x1), f32x4.splat(ROOT_2));
  v128.store(to, x0);
  to += toStep;
  v128.store(to, f32x4.add(even, odd));
  to += toStep;
  v128.store(to, f32x4.sub(even, odd));
  to += toStep;
  v128.store(to, f32x4.add(evenFar, oddFar));
  to += toStep;
  v128.store(to, f32x4.sub(evenFar, oddFar));
  to += toStep;
  v128.store(to, x3);
}

/** 6 sums of products, `fromStep` apart → Gᵀ · them, 3 taps; they may take the place of the first three. */
@inline
export function tapLine(from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const near = f32x4.splat(-2 / <f32>3);
  const far = f32x4.splat(1 / <f32>6);
  const x0 = v128.load(from);
  const x1 = v128.load(from + fromStep);
  const x2 = v128.load(from + 2 * fromStep);
  const x3 = v128.load(from + 3 * fromStep);
  const x4 = v128.load(from + 4 * fromStep);
  const x5 = v128.load(from + 5 * fromStep);
  const even = f32x4.mul(f32x4.add(x1, x2), near);
  const odd = f32x4.mul(f32x4.sub(x1, x2), near);
  const evenFar = f32x4.mul(f32x4.add(x3, x4), far);
  const oddFar = f32x4.mul(f32x4.sub(x3, x4), far);
  v128.store(to, f32x4.add(x0, f32x4.add(even, evenFar)));
  v128.store(to + toStep, multiplyAdd(odd, f32x4.splat(ROOT_HALF), f32x4.mul(oddFar, f32x4.splat(ROOT_2))));
  v128.store(
    to + 2 * toStep,
    f32x4.add(x5, multiplyAdd(even, f32x4.splat(0.5), f32x4.add(evenFar, evenFar))),
  );
}

/**
 * Panels of a filter 3 × 3 (packPanels) → for each of 36 points panels of its own, without start values.
 *
 *   args: panels, transformed, depth, number of panels, parts
 *   scratch: 288 bytes
 */
export function transformFilter(call: usize, part: i32, scratch: usize): void {
  const depth = int(call, 2);
  const panels = int(call, 3);
  const bytes = PANEL_STEP * <usize>depth;
  const end = partStart(panels, part + 1, int(call, 4), 1);
  for (let panel = partStart(panels, part, int(call, 4), 1); panel < end; panel += 1) {
    const from = pointer(call, 0) + PANEL_STEP + <usize>panel * (PANEL_STEP + 9 * bytes);
    const to = pointer(call, 1) + <usize>panel * bytes;
    for (let at: usize = 0; at < bytes; at += 16) {
      for (let column: usize = 0; column < 3; column += 1) {
        filterLine(from + at + column * bytes, 3 * bytes, scratch + 16 * column, 48);
      }
      for (let row: usize = 0; row < 6; row += 1) {
        const point = to + at + 6 * row * <usize>panels * bytes;
        filterLine(scratch + 48 * row, 16, point, <usize>panels * bytes);
      }
    }
  }
}
