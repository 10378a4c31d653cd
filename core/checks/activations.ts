import { type NormalizationDistance, normalizationDistance } from './normalization-distance.ts';
import type { CheckedSet } from './sets.ts';
import type { Finding } from './types.ts';

/**
 * Running standard deviations beyond chance. On HAM10000's own held-out images 0.35, at a fifth more brightness or
 * other colour gains 0.5 to 0.8, for chest X-rays as RGB 1.2 to 1.4 (docs/check.md).
 */
const [SHIFTED, UNSEEN] = [0.55, 1];
/** No kind of picture is this far from any other: pixels come in another range than the model takes. */
const OUT_OF_RANGE = 5;
/** Layers that are named. */
const MOST_NAMED = 2;
const SEED = 0;

/** Distance of the activations from what the model's batch normalisations remember of training. */
export function distanceOf({ seen, samples }: CheckedSet): NormalizationDistance | null {
  const feature = samples.sensitiveFeatures[0];
  if (seen === null || feature === undefined) return null;
  const { groups, groupNames } = feature;
  return normalizationDistance({
    layers: seen.normalizations,
    subjects: samples.subjects,
    groups,
    groupNames,
    seed: SEED,
  });
}

/**
 * @param hasSignal  whether the model still ranks the labels: then the distance may be that of a body that was frozen
 *   after training on something else, and no reason to refuse the data
 */
export function distanceFindings(distance: NormalizationDistance | null, hasSignal: boolean): Finding[] {
  if (distance === null) return [];
  const { whole } = distance;
  if (whole.excess >= SHIFTED) {
    const isUnseen = whole.excess >= UNSEEN;
    const farthest = [...whole.layers].sort((a, b) => b.excess - a.excess).slice(0, MOST_NAMED);
    const layers = farthest.map(({ layer, excess }) => `${layer} ${excess.toFixed(2)}`).join(', ');
    return [
      {
        code: isUnseen ? 'unseen-inputs' : 'shifted-inputs',
        severity: isUnseen && (!hasSignal || whole.excess >= OUT_OF_RANGE) ? 'unfit' : 'care',
        reason: `Activations are ${whole.excess.toFixed(2)} running standard deviations from those of training, beyond chance (farthest in ${layers}; up to ${SHIFTED} is usual for data like that of training): ${isUnseen ? 'this is another kind of input' : 'colours, device or preparation differ'}.`,
        repair: `Check the preprocess first${isUnseen ? '' : ', then light, white balance and device'}; collect inputs like those that the model was trained on.`,
      },
    ];
  }
  return [];
}
