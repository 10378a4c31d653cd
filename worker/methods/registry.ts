import { batchNorm } from './batch-norm.ts';
import { dfr } from './dfr.ts';
import { diffBias } from './diff-bias.ts';
import { fairPrune } from './fairprune.ts';
import { groupDro } from './group-dro.ts';
import { groupThresholds } from './group-thresholds.ts';
import { llft } from './llft.ts';
import { allOnesMask, headOnly, randomMask, robust } from './masked.ts';
import type { Method } from './method.ts';
import { bmftReleased, swiftReleased } from './released.ts';
import { disparity, reweighting, reweightingDisparity } from './reweighting.ts';
import { untouched } from './untouched.ts';

/** Every method by its name, in the order in which a table lists them. */
export const METHODS: Readonly<Record<string, Method>> = byName([
  untouched,
  groupThresholds,
  batchNorm,
  headOnly,
  llft,
  dfr,
  reweighting,
  disparity,
  reweightingDisparity,
  groupDro,
  fairPrune,
  diffBias,
  randomMask,
  allOnesMask,
  bmftReleased,
  swiftReleased,
  robust,
]);

function byName(methods: readonly Method[]): Record<string, Method> {
  return Object.fromEntries(methods.map((method) => [method.name, method]));
}
