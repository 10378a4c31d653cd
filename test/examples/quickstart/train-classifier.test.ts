import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BIASED_INK } from '../../../examples/quickstart/lesions.ts';
import { trainClassifier } from '../../../examples/quickstart/train-classifier.ts';
import { useTempFolder } from '../../helpers/files.ts';

describe('trainClassifier', () => {
  const folder = useTempFolder();

  const train = async (name: string) => {
    const losses: number[] = [];
    await trainClassifier({
      model: folder.at(name),
      data: folder.at('data'),
      images: 64,
      ink: BIASED_INK,
      seed: 0,
      phases: [
        { epochs: 3, learningRate: 0.01 },
        { epochs: 1, learningRate: 0.001 },
      ],
      onEpoch: ({ loss }) => losses.push(loss),
    });
    return { losses, weights: readFileSync(folder.at(path.join(name, 'weights.bin'))) };
  };

  it('lowers the loss, and gives the same bytes each time', async () => {
    const { losses, weights } = await train('first');

    expect(losses).toHaveLength(4);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    expect((await train('again')).weights).toEqual(weights);
  });
});
