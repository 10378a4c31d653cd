import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { readLayersModel } from '../../../core/model/formats/tfjs-layers-files.ts';
import { SIDE } from '../../../examples/quickstart/draw-lesion.ts';
import { PREPROCESS, writeUntrained } from '../../../examples/quickstart/network.ts';
import { makeRandom } from '../../../worker/random.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { withBackend } from '../../helpers/tensors.ts';

const COMMITTED = path.join(import.meta.dirname, '../../../examples/quickstart/model');

describe('writeUntrained', () => {
  withBackend('wasm');
  const folder = useTempFolder();

  it('writes the same bytes from the same seed', async () => {
    const bytesFrom = async (seed: number, name: string) => {
      await writeUntrained(folder.at(name), makeRandom(seed));
      return ['model.json', 'weights.bin'].map((file) => readFileSync(folder.at(path.join(name, file))));
    };

    const first = await bytesFrom(1, 'first');

    expect(await bytesFrom(1, 'again')).toEqual(first);
    expect(await bytesFrom(2, 'other')).not.toEqual(first);
  });

  it('has the topology, weights and preprocess of the committed model', async () => {
    await writeUntrained(folder.at('untrained'), makeRandom(0));
    const untrained = await readLayersModel(folder.at('untrained'));
    const committed = await readLayersModel(COMMITTED);

    expect(committed.json).toEqual(untrained.json);
    expect(JSON.parse(readFileSync(path.join(COMMITTED, 'preprocess.json'), 'utf8'))).toEqual(PREPROCESS);
  });
});

describe('the committed model', () => {
  withBackend('wasm');

  it('loads as a classifier of lesions with finite weights that training has moved', async () => {
    const model = await loadTfjsLayers(COMMITTED); // refuses weights that are not finite
    try {
      const { kernel, bias } = model.head;
      const weights = [...model.body, kernel, bias!];

      expect(model.inputShape).toEqual([SIDE, SIDE, 3]);
      expect(model.output).toBe('logit');
      expect(weights.reduce((sum, { variable }) => sum + variable.size, 0)).toBe(
        9 * (3 * 8 + 8 * 16 + 16 * 6) + 2 * (8 + 16 + 6) + 6 + 1,
      );
      for (const { variable } of weights) expect(variable.dataSync().some((value) => value !== 0)).toBe(true);
    } finally {
      model.dispose();
    }
  });

  it('is small enough to be committed', () => {
    const sizes = ['model.json', 'weights.bin'].map((file) => statSync(path.join(COMMITTED, file)).size);

    expect(sizes[0]! + sizes[1]!).toBeLessThan(200_000);
  });
});
