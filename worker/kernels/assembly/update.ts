import { float, int, partStart, pointer } from './call';

/*
 * One step of an optimizer over the numbers of one tensor. Nothing is fused: each sum and product is rounded as tfjs
 * rounds it when the step is composed, so that both give the same bits.
 */

@inline
function read(at: usize, isOne: bool): v128 {
  return isOne ? v128.load32_zero(at) : v128.load(at);
}

@inline
function write(at: usize, value: v128, isOne: bool): void {
  if (isOne) v128.store_lane<f32>(at, value, 0);
  else v128.store(at, value);
}

/** The gradient, masked where the mask acts on gradients, with decay · weight where there is decay. */
@inline
function direction(gradient: v128, weight: v128, mask: v128, isMasked: bool, decay: f32): v128 {
  const own = isMasked ? f32x4.mul(gradient, mask) : gradient;
  return decay === 0 ? own : f32x4.add(own, f32x4.mul(weight, f32x4.splat(decay)));
}

/** A weight whose update is 0 keeps its bits: −0 + 0 would be +0. */
@inline
function moved(weight: v128, update: v128): v128 {
  return v128.bitselect(f32x4.add(weight, update), weight, f32x4.ne(update, f32x4.splat(0)));
}

/**
 * velocity ← momentum · velocity + direction,   weight ← weight + factor · velocity
 *
 *   args: weight, gradient, mask or 0, velocity, new weight, new velocity, length, parts, 1 if the mask acts on updates
 *   floats: decay, factor, momentum
 */
export function momentumUpdate(call: usize, part: i32, scratch: usize): void {
  let at = <usize>partStart(int(call, 6), part, int(call, 7), 4) << 2;
  const end = <usize>partStart(int(call, 6), part + 1, int(call, 7), 4) << 2;
  const wide = at + ((end - at) & ~15);
  for (; at < wide; at += 16) momentumStep(call, at, false);
  for (; at < end; at += 4) momentumStep(call, at, true);
}

@inline
function momentumStep(call: usize, at: usize, isOne: bool): void {
  const hasMask = int(call, 2) !== 0;
  const actsOnUpdate = int(call, 8) !== 0;
  const weight = read(pointer(call, 0) + at, isOne);
  const mask = hasMask ? read(pointer(call, 2) + at, isOne) : weight;
  const gradient = read(pointer(call, 1) + at, isOne);
  const own = direction(gradient, weight, mask, hasMask && !actsOnUpdate, float(call, 0));
  const kept = f32x4.mul(read(pointer(call, 3) + at, isOne), f32x4.splat(float(call, 2)));
  const velocity = f32x4.add(kept, own);
  let update = f32x4.mul(velocity, f32x4.splat(float(call, 1)));
  if (hasMask && actsOnUpdate) update = f32x4.mul(update, mask);
  write(pointer(call, 4) + at, moved(weight, update), isOne);
  write(pointer(call, 5) + at, velocity, isOne);
}

/**
 * mean ← β₁ · mean + (1 − β₁) · d,   square ← β₂ · square + (1 − β₂) · d²
 * weight ← weight + factor · (mean / c₁) / (√(square / c₂) + ε)
 *
 *   args: weight, gradient, mask or 0, mean, square, new weight, new mean, new square, length, parts,
 *         1 if the mask acts on updates
 *   floats: decay, factor, β₁, 1 − β₁, β₂, 1 − β₂, ε, c₁, c₂
 */
export function adamUpdate(call: usize, part: i32, scratch: usize): void {
  let at = <usize>partStart(int(call, 8), part, int(call, 9), 4) << 2;
  const end = <usize>partStart(int(call, 8), part + 1, int(call, 9), 4) << 2;
  const wide = at + ((end - at) & ~15);
  for (; at < wide; at += 16) adamStep(call, at, false);
  for (; at < end; at += 4) adamStep(call, at, true);
}

@inline
function adamStep(call: usize, at: usize, isOne: bool): void {
  const hasMask = int(call, 2) !== 0;
  const actsOnUpdate = int(call, 10) !== 0;
  const weight = read(pointer(call, 0) + at, isOne);
  const mask = hasMask ? read(pointer(call, 2) + at, isOne) : weight;
  const gradient = read(pointer(call, 1) + at, isOne);
  const own = direction(gradient, weight, mask, hasMask && !actsOnUpdate, float(call, 0));
  const mean = blend(read(pointer(call, 3) + at, isOne), own, float(call, 2), float(call, 3));
  const square = blend(read(pointer(call, 4) + at, isOne), f32x4.mul(own, own), float(call, 4), float(call, 5));
  const corrected = f32x4.div(mean, f32x4.splat(float(call, 7)));
  const deviation = f32x4.sqrt(f32x4.div(square, f32x4.splat(float(call, 8))));
  const unit = f32x4.div(corrected, f32x4.add(deviation, f32x4.splat(float(call, 6))));
  let update = f32x4.mul(unit, f32x4.splat(float(call, 1)));
  if (hasMask && actsOnUpdate) update = f32x4.mul(update, mask);
  write(pointer(call, 5) + at, moved(weight, update), isOne);
  write(pointer(call, 6) + at, mean, isOne);
  write(pointer(call, 7) + at, square, isOne);
}

@inline
function blend(old: v128, fresh: v128, rate: f32, rest: f32): v128 {
  return f32x4.add(f32x4.mul(old, f32x4.splat(rate)), f32x4.mul(fresh, f32x4.splat(rest)));
}
