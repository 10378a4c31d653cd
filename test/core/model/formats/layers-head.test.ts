import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { INFERENCE } from '../../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../../core/model/formats/tfjs-layers.ts';
import { useTempFolder } from '../../../helpers/files.ts';
import { fillWeights, writeModel } from '../../../helpers/made-data.ts';
import { expectNoLeak, withBackend } from '../../../helpers/tensors.ts';

const ROWS = [
  [1, -2, 3],
  [0.5, 0.25, -1],
];

/** Three numbers, two classes, and what the network itself makes of the rows. */
async function write(folder: string, useBias: boolean): Promise<readonly number[]> {
  const model = sequential({
    layers: [layers.dense({ name: 'head', units: 2, activation: 'softmax', useBias, inputShape: [3] })],
  });
  fillWeights(model, 3);
  await writeModel(folder, model);
  const scores = tf.tidy(() => (model.predict(tf.tensor2d(ROWS)) as tf.Tensor).dataSync());
  model.dispose();
  return Array.from(scores).filter((_, place) => place % 2 === 1);
}

describe('a head of two units', () => {
  withBackend('cpu');
  const folder = useTempFolder();

  it.each([true, false])(
    'is one of one unit, whose sigmoid is the second score (bias: %s)',
    async (useBias) => {
      const expected = await write(folder.at(`two-${useBias}`), useBias);
      await expectNoLeak(async () => {
        const model = await loadTfjsLayers(folder.at(`two-${useBias}`));
        expect(model.output).toBe('score');
        expect(model.head.kernel).toMatchObject({ name: 'head/kernel', shape: [3, 1] });
        expect(model.head.bias?.shape ?? null).toEqual(useBias ? [1] : null);
        const scores = tf.tidy(() => tf.sigmoid(model.logits(tf.tensor2d(ROWS), INFERENCE)).dataSync());
        for (const [row, score] of scores.entries()) expect(score).toBeCloseTo(expected[row]!, 6);
        model.dispose();
      });
    },
  );

  it('goes back as two, each with half of the change, and as it was where nothing changed', async () => {
    await write(folder.at('before'), true);
    const model = await loadTfjsLayers(folder.at('before'));
    await model.save(folder.at('same'));
    const { kernel } = model.head;
    const move = tf.tensor2d([[0], [0.5], [-2]]);
    kernel.variable.assign(tf.tidy(() => tf.add(kernel.variable, move)));
    await model.save(folder.at('after'));
    move.dispose();
    model.dispose();
    const [before, same, after] = await Promise.all(
      ['before', 'same', 'after'].map(async (name) => {
        const bytes = await readFile(folder.at(`${name}/weights.bin`));
        return Array.from(new Float32Array(new Uint8Array(bytes).buffer));
      }),
    );
    expect(same).toEqual(before);
    const moved = [0, 0, -0.25, 0.25, 1, -1, 0, 0];
    expect(after).toEqual(before!.map((value, place) => Math.fround(value + moved[place]!)));
  });

  it('leaves nothing behind when a weight is not finite', async () => {
    await write(folder.at('broken'), true);
    const file = folder.at('broken/weights.bin');
    const bytes = new Uint8Array(await readFile(file));
    new Float32Array(bytes.buffer)[1] = Number.NaN;
    await folder.write('broken/weights.bin', bytes);
    await expectNoLeak(() =>
      expect(loadTfjsLayers(folder.at('broken'))).rejects.toMatchObject({ code: 'NON_FINITE' }),
    );
  });
});
