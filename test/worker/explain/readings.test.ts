import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Classifier, LayerOutput } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { poolOutputs, readingsOf } from '../../../worker/explain/readings.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { makeImages, writePlantedClassifier } from '../../helpers/made-data.ts';
import { expectClose, expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const output = (name: string, ...shape: (number | null)[]): LayerOutput => ({
  name,
  kind: '',
  shape: [null, ...shape],
  channelAxis: shape.length,
});
const kernel = (layer: string, ...shape: number[]) => ({ layer, shape });
const network = (outputs: LayerOutput[], body: object[]) =>
  ({ bodyOutputs: outputs, body }) as unknown as Classifier;

describe('readingsOf', () => {
  const outputs = [
    output('conv1', 8, 8, 4),
    output('bn1', 8, 8, 4),
    output('relu1', 8, 8, 4),
    output('conv2', 8, 8, 6),
    output('relu2', 8, 8, 6),
    output('pool', 6),
    output('hidden', 5),
  ];
  const body = [
    kernel('conv1', 3, 3, 3, 4),
    kernel('bn1', 4),
    kernel('conv2', 3, 3, 4, 6),
    kernel('hidden', 6, 5),
  ];

  test('reads a kernel behind its activation, where its places are still there', () => {
    const readings = readingsOf(network(outputs, body), 9);
    expect(readings.map(({ layer, output: { name } }) => [layer, name])).toEqual([
      ['conv1', 'relu1'],
      ['conv2', 'relu2'],
      ['hidden', 'hidden'],
    ]);
  });

  test('keeps the first, the last and some between', () => {
    const deep = Array.from({ length: 9 }, (_, index) => `conv${index}`);
    const many = network(
      deep.map((name) => output(name, 8, 8, 4)),
      deep.map((name) => kernel(name, 3, 3, 4, 4)),
    );
    expect(readingsOf(many, 3).map(({ layer }) => layer)).toEqual(['conv0', 'conv4', 'conv8']);
    expect(readingsOf(many, 1).map(({ layer }) => layer)).toEqual(['conv8']);
  });

  test('leaves out layers whose output the model does not give', () => {
    expect(readingsOf(network([], body), 9)).toEqual([]);
  });
});

describe('poolOutputs', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;
  beforeAll(async () => {
    model = await loadTfjsLayers(await writePlantedClassifier(folder.at('model')));
  });
  afterAll(() => model.dispose());

  test('gives mean and maximum over the places of a planted filter', async () => {
    const { inputs } = makeImages({ size: 70 });
    const rows = Array.from({ length: 66 }, (_, row) => row + 2);
    const outputs = model.bodyOutputs.filter(({ name }) => name === 'conv');
    let done = 0;
    const pooled = await poolOutputs({
      model,
      inputs,
      rows,
      outputs,
      onRows: (count) => {
        done += count;
      },
    });
    const { channels, mean, max } = pooled.get('conv')!;
    expect([channels, mean.length, done]).toEqual([4, 66 * 4, 66]);
    // filter 0 is red of the pixel itself, over the inner 14 × 14
    const image = await inputs.batch([rows[65]!]);
    const pixels = image.dataSync();
    image.dispose();
    const red = Array.from({ length: 14 * 14 }, (_, place) => {
      const [y, x] = [Math.floor(place / 14) + 1, (place % 14) + 1];
      return pixels[(y * 16 + x) * 3]!;
    });
    expectClose(
      [mean[65 * 4]!, max![65 * 4]!],
      [red.reduce((a, b) => a + b) / red.length, Math.max(...red)],
      1e-5,
    );
  });

  test('reads features as they are, keeps no tensor and stops when told to', async () => {
    const { inputs } = makeImages({ size: 8 });
    const outputs = [model.bodyOutputs.at(-1)!];
    const input = { model, inputs, rows: [3, 1], outputs };
    await expectNoLeak(async () => {
      const { max, mean } = (await poolOutputs(input)).get(outputs[0]!.name)!;
      expect(max).toBeNull();
      const batch = await inputs.batch([3, 1]);
      const features = model.features(batch, { training: false });
      expectClose(mean, features.dataSync(), 1e-6);
      batch.dispose();
      features.dispose();
    });
    await expect(poolOutputs({ ...input, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  });
});
