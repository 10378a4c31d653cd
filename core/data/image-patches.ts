import { FREQUENCIES } from './image-facts.ts';

/** Patches a side that a picture is divided in. */
export const PATCHES = 16;

/** [frequency · patch] cosine at each patch's centre, of the transform that `imageFacts` makes. */
const COSINES = Float64Array.from({ length: FREQUENCIES * PATCHES }, (_, index) => {
  const [frequency, patch] = [Math.floor(index / PATCHES), index % PATCHES];
  const scale = Math.sqrt((frequency === 0 ? 1 : 2) / PATCHES) / Math.sqrt(2); // 32 pixels, 16 patches
  return scale * Math.cos((Math.PI * frequency * (2 * patch + 1)) / (2 * PATCHES));
});

/**
 * Shade of each of 16 × 16 patches, from the lowest frequencies of a picture.
 *
 * @param spectrum  [16 · 16] as in `ImageFacts`
 * @returns [16 · 16] about in [0, 1], row by row
 */
export function patchesOf(spectrum: Float32Array): Float32Array {
  const across = new Float64Array(FREQUENCIES * PATCHES); // [v, x]
  for (let v = 0; v < FREQUENCIES; v += 1) {
    for (let x = 0; x < PATCHES; x += 1) {
      let sum = 0;
      for (let u = 0; u < FREQUENCIES; u += 1)
        sum += COSINES[u * PATCHES + x]! * spectrum[v * FREQUENCIES + u]!;
      across[v * PATCHES + x] = sum;
    }
  }
  const shades = new Float32Array(PATCHES * PATCHES);
  for (let y = 0; y < PATCHES; y += 1) {
    for (let x = 0; x < PATCHES; x += 1) {
      let sum = 0;
      for (let v = 0; v < FREQUENCIES; v += 1) sum += COSINES[v * PATCHES + y]! * across[v * PATCHES + x]!;
      shades[y * PATCHES + x] = sum;
    }
  }
  return shades;
}
