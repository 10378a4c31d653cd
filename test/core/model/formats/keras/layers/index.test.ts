import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { INFERENCE, weightsOf } from '../../../../../../core/model/classifier.ts';
import { KERAS_LAYERS } from '../../../../../../core/model/formats/keras/layers/index.ts';
import { loadKeras, readKerasModel } from '../../../../../../core/model/formats/keras/load.ts';
import { startBackend } from '../../../../../../worker/backend.ts';
import { expectedOf, FIXTURES, testOracles } from '../../../../../helpers/keras.ts';
import { expectClose } from '../../../../../helpers/tensors.ts';

const KINDS = path.join(FIXTURES, 'kinds.keras');

/** Gradients of the sum of logits by each weight, on a backend. */
async function gradients(backend: 'wasm' | 'cpu'): Promise<Map<string, Float32Array>> {
  await startBackend(backend);
  const model = await loadKeras(KINDS);
  const weights = weightsOf(model);
  const variables = weights.map(({ variable }) => variable);
  const inputs = expectedOf(KINDS).inputs();
  const { grads } = tf.variableGrads(() => tf.sum(model.logits(inputs, INFERENCE)), variables);
  const found = weights.map(
    ({ name, variable }) => [name, grads[variable.name]!.dataSync() as Float32Array] as const,
  );
  tf.dispose([inputs, grads]);
  model.dispose();
  return new Map(found);
}

describe('layers of Keras', () => {
  it('all let gradients through, the same on wasm as on cpu', async () => {
    const [wasm, cpu] = [await gradients('wasm'), await gradients('cpu')];
    expect([...wasm.keys()]).toEqual([...cpu.keys()]);
    for (const [name, values] of wasm) {
      expect(
        values.some((value) => value !== 0),
        name,
      ).toBe(true);
      expectClose(values, cpu.get(name)!, 1e-3);
    }
  });

  it.each(['wasm', 'cpu'] as const)(
    'run in training mode on %s, and move the statistics',
    async (backend) => {
      await startBackend(backend);
      const { model } = await readKerasModel(KINDS);
      const mean = model.weights.find(({ originalName }) => originalName.endsWith('moving_mean'))!;
      const before = mean.read().dataSync().slice();
      const values = tf.tidy(() => {
        const output = model.apply(expectedOf(KINDS).inputs(), { training: true }) as tf.Tensor;
        return output.dataSync();
      });
      expect(values.every(Number.isFinite)).toBe(true);
      expect(mean.read().dataSync()).not.toEqual(before);
      model.dispose();
    },
  );

  it('are those that docs/models.md lists', () => {
    const page = readFileSync(path.join(FIXTURES, '../../../docs/models.md'), 'utf8');
    const listed = /<!-- layers -->\n(.*)\n<!-- end -->/.exec(page)![1]!;
    expect(listed.split(', ')).toEqual(Object.keys(KERAS_LAYERS).sort());
  });

  testOracles('func', 'plain', 'seq', 'nested_mnv2');
});
