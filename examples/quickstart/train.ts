import path from 'node:path';
import { writeContactSheet } from './contact-sheet.ts';
import { BIASED_INK, INDEPENDENT_INK, makeLesions } from './lesions.ts';
import { trainClassifier } from './train-classifier.ts';

/*
 * Made the committed classifier, trained on lesions whose ink goes with the truth, and the picture in README.md:
 *
 *   npx tsx examples/quickstart/train.ts
 */

await writeContactSheet(
  path.join(import.meta.dirname, 'lesions.png'),
  makeLesions({ split: 'sheet', count: 120, ink: INDEPENDENT_INK, seed: 0 }),
);
let epoch = 0;
await trainClassifier({
  model: path.join(import.meta.dirname, 'model'),
  data: path.join(import.meta.dirname, '../../runs/quickstart/train'),
  images: 1600,
  ink: BIASED_INK,
  seed: 0,
  phases: [
    { epochs: 12, learningRate: 3e-3 },
    { epochs: 3, learningRate: 3e-4 },
  ],
  onEpoch: ({ loss }) => {
    epoch += 1;
    process.stdout.write(`epoch ${epoch}: loss ${loss.toFixed(4)}\n`);
  },
});
