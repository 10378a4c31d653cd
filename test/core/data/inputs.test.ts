import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openImageInputs, openTableInputs } from '../../../core/data/inputs.ts';
import { type InputSpec, parsePreprocess, resolvePreprocess } from '../../../core/data/preprocess.ts';
import type { Manifest } from '../../../core/data/types.ts';
import { encodePng, useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();
const PIXELS = [
  [10, 20, 30, 40, 50, 60],
  [1, 2, 3, 4, 5, 6],
  [255, 254, 253, 252, 251, 250],
] as const;

function manifestOf(paths: readonly string[]): Manifest {
  const size = paths.length;
  const lines = Int32Array.from(paths, (_, row) => row + 2);
  const input = { kind: 'image', root: folder.path, paths, lines } as const;
  return { size, labels: new Int32Array(size), sensitiveFeatures: [], input };
}

const resolve = (value: unknown, shape: readonly number[]): InputSpec =>
  resolvePreprocess(parsePreprocess(value, 'test'), shape);
const plain = { scale: 1, mean: 0, std: 1 };
const rgb = resolve(plain, [1, 2, 3]);
const images = () => manifestOf(['0.png', '1.png', '2.png']);

beforeAll(async () => {
  await tf.setBackend('cpu');
  for (const [index, values] of PIXELS.entries()) {
    await folder.write(`${index}.png`, encodePng({ width: 2, height: 1, depth: 8, kind: 'RGB', values }));
  }
  await folder.write(
    'deep.png',
    encodePng({ width: 2, height: 1, depth: 16, kind: 'grey', values: [257, 300] }),
  );
  for (let index = 0; index < 7; index += 1) await folder.write(`bad${index}.png`, 'no image');
});

/** Shape and values of a batch; checks that the source leaves nothing but the tensor. */
async function read(source: { batch(rows: ArrayLike<number>): Promise<tf.Tensor> }, rows: ArrayLike<number>) {
  const before = tf.memory().numTensors;
  const batch = await source.batch(rows);
  expect(tf.memory().numTensors).toBe(before + 1);
  const result = { shape: batch.shape, values: [...batch.dataSync()] };
  expect(batch.dtype).toBe('float32');
  batch.dispose();
  return result;
}

const float32 = (values: readonly number[]) => [...Float32Array.from(values)];

describe('openImageInputs', () => {
  it('gives the rows in the order asked for, also twice', async () => {
    const source = openImageInputs(images(), rgb);
    expect(source).toMatchObject({ size: 3, sampleShape: [1, 2, 3] });
    await expect(read(source, [2, 0, 2])).resolves.toEqual({
      shape: [3, 1, 2, 3],
      values: [...PIXELS[2], ...PIXELS[0], ...PIXELS[2]],
    });
  });

  it('normalises each channel by its own mean and std', async () => {
    const spec = resolve({ scale: 1 / 255, mean: [0.1, 0.2, 0.3], std: [1, 2, 4] }, [1, 2, 3]);
    const x = (value: number, mean: number, std: number) => (value / 255 - mean) / std;
    const expected = [
      x(10, 0.1, 1),
      x(20, 0.2, 2),
      x(30, 0.3, 4),
      x(40, 0.1, 1),
      x(50, 0.2, 2),
      x(60, 0.3, 4),
    ];
    const { values } = await read(openImageInputs(images(), spec), [0]);
    for (const [index, value] of values.entries()) expect(value).toBeCloseTo(expected[index]!, 6);
  });

  it('puts channels first for NCHW, in the order of the channels', async () => {
    const spec = resolve({ ...plain, mean: [1, 2, 3], channels: 'BGR', layout: 'NCHW' }, [3, 1, 2]);
    const [r, g, b, r2, g2, b2] = PIXELS[0];
    await expect(read(openImageInputs(images(), spec), [0])).resolves.toEqual({
      shape: [1, 3, 1, 2],
      values: [b - 1, b2 - 1, g - 2, g2 - 2, r - 3, r2 - 3],
    });
  });

  it('keeps the precision of 16 bits, counted in 8-bit steps', async () => {
    const source = openImageInputs(manifestOf(['deep.png']), resolve(plain, [1, 2, 1]));
    await expect(read(source, [0])).resolves.toMatchObject({ values: float32([1, 300 / 257]) });
  });

  it('makes an empty batch of no rows', async () => {
    await expect(read(openImageInputs(images(), rgb), [])).resolves.toEqual({
      shape: [0, 1, 2, 3],
      values: [],
    });
  });

  it('decodes an image once while it fits into the cache', async () => {
    const counts: number[] = [];
    const source = openImageInputs(images(), rgb, { onDecoded: (count) => counts.push(count) });
    await read(source, [0, 1]);
    await read(source, [1, 2, 0]);
    expect(counts).toEqual([1, 2, 3]);
  });

  it('counts pixels once in the cache when two batches decode them at the same time', async () => {
    let decoded = 0;
    const onDecoded = (count: number) => {
      decoded = count;
    };
    const source = openImageInputs(images(), rgb, { cacheBytes: 2 * 6, onDecoded });
    const pair = await Promise.all([source.batch([0]), source.batch([0])]);
    tf.dispose(pair);
    await read(source, [1]);
    const before = decoded;
    await read(source, [0, 1]);
    expect(decoded).toBe(before);
  });

  it('keeps no more bytes than it may', async () => {
    let decoded = 0;
    const onDecoded = () => {
      decoded += 1;
    };
    const source = openImageInputs(images(), rgb, { cacheBytes: 2 * 6, concurrency: 1, onDecoded });
    await read(source, [0, 1, 2]);
    await read(source, [0, 1, 2]);
    expect(decoded).toBe(3 + 1);
    await read(source, [0, 1]);
    expect(decoded).toBe(3 + 1);
  });

  it('decodes no more images at once than it may', async () => {
    const source = openImageInputs(images(), rgb, { concurrency: 1, cacheBytes: 0 });
    await expect(read(source, [0, 1, 2])).resolves.toMatchObject({ shape: [3, 1, 2, 3] });
  });

  it('passes the error of a bad image on and leaves no tensor', async () => {
    const before = tf.memory().numTensors;
    const source = openImageInputs(manifestOf(['0.png', 'bad0.png', 'bad1.png', '1.png']), rgb, {
      concurrency: 1,
    });
    await expect(source.batch([0, 1, 2, 3])).rejects.toThrow(
      'line 3, image "bad0.png": expected a JPEG or PNG file',
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  it('decodes no further once an image is bad', async () => {
    let decoded = 0;
    const onDecoded = () => {
      decoded += 1;
    };
    const good = ['0.png', '1.png', '2.png', 'deep.png'];
    const source = openImageInputs(manifestOf(['bad0.png', ...good]), rgb, { concurrency: 2, onDecoded });
    await expect(source.batch([0, 1, 2, 3, 4])).rejects.toThrow('bad0.png');
    expect(decoded).toBeLessThan(good.length);
  });

  it.each([3, -1, 0.5, Number.NaN])('refuses the row %d', async (row) => {
    await expect(openImageInputs(images(), rgb).batch([0, row])).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: `batch: expected rows from 0 to 2, received ${row}`,
    });
  });

  it('stops when told', async () => {
    const stop = new AbortController();
    const reason = new Error('Ctrl-C');
    const source = openImageInputs(images(), rgb, {
      concurrency: 1,
      signal: stop.signal,
      onDecoded: () => stop.abort(reason),
    });
    await expect(source.batch([0, 1, 2])).rejects.toMatchObject({
      name: 'InterruptedError',
      message: 'reading images was stopped',
      cause: reason,
    });
  });

  it('refuses rows of features', () => {
    const table = resolve({ features: [{ column: 'a' }] }, [1]);
    expect(() => openImageInputs(images(), table)).toThrow(
      'inputs: expected manifest and preprocess of one kind, received image rows for table inputs',
    );
  });
});

describe('verify', () => {
  it('reads the rows asked for and no others', async () => {
    const source = openImageInputs(manifestOf(['bad0.png', '0.png']), rgb);
    await source.verify([1]);
    await expect(source.verify([0, 1])).rejects.toThrow('1 of 2 images cannot be used');
  });

  it('reports progress and fills the cache', async () => {
    let decoded = 0;
    const source = openImageInputs(images(), rgb, {
      onDecoded: (count) => {
        decoded = count;
      },
    });
    const progress: string[] = [];
    await source.verify([0, 1, 2], { onProgress: (done, total) => progress.push(`${done}/${total}`) });
    expect(progress).toEqual(['1/3', '2/3', '3/3']);
    await read(source, [0, 1, 2]);
    expect(decoded).toBe(3);
  });

  it('counts every bad file and lists the first five in order', async () => {
    const bad = Array.from({ length: 7 }, (_, index) => `bad${index}.png`);
    const source = openImageInputs(manifestOf([...bad.slice(0, 1), '0.png', ...bad.slice(1)]), rgb);
    const listed = ['bad0.png', 'bad1.png', 'bad2.png', 'bad3.png', 'bad4.png'].map(
      (name, index) =>
        `line ${index === 0 ? 2 : index + 3}, image "${name}": expected a JPEG or PNG file, received a file of another kind`,
    );
    await expect(source.verify([...Array(8).keys()])).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: `7 of 8 images cannot be used: ${listed.join('; ')}; and 2 more`,
      details: { rows: [0, 2, 3, 4, 5, 6, 7], size: 8 },
    });
  });

  it('does not take an error of its caller for a bad file', async () => {
    const onDecoded = () => {
      throw new RangeError('of the caller');
    };
    await expect(openImageInputs(images(), rgb, { onDecoded }).verify([0])).rejects.toThrow(RangeError);
  });

  it('lists a single bad file', async () => {
    const source = openImageInputs(manifestOf(['bad0.png']), rgb);
    await expect(source.verify([0])).rejects.toThrow(
      '1 of 1 image cannot be used: line 2, image "bad0.png": expected a JPEG or PNG file, received a file of another kind',
    );
  });

  it('stops when told', async () => {
    const signal = AbortSignal.abort();
    await expect(openImageInputs(images(), rgb, { signal }).verify([0])).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  });
});

describe('openTableInputs', () => {
  const features = [
    { column: 'pay', mean: 1_600_000_000, std: 2 },
    { column: 'work', categories: ['a', 'b', 'c'], unknown: 'zeros' },
    { column: 'age' },
  ];
  const spec = resolve({ features }, [5]);
  const table = (columns = ['pay', 'work', 'age']): Manifest => ({
    size: 2,
    labels: Int32Array.of(0, 1),
    sensitiveFeatures: [],
    input: { kind: 'table', columns, values: Float64Array.of(1_600_000_001, 2, 30, 1_599_999_998, -1, 40) },
  });

  it('standardises numbers in float64 and spreads categories', async () => {
    const source = openTableInputs(table(), spec);
    expect(source).toMatchObject({ size: 2, sampleShape: [5] });
    await expect(read(source, [1, 0])).resolves.toEqual({
      shape: [2, 5],
      values: [-1, 0, 0, 0, 40, 0.5, 0, 0, 1, 30],
    });
  });

  it.each([[['pay', 'age', 'work']], [['pay', 'work']]])(
    'refuses a manifest of the features %j',
    (columns) => {
      expect(() => openTableInputs(table(columns), spec)).toThrow(
        expect.objectContaining({
          name: 'ShapeMismatchError',
          message: `inputs: expected the manifest's features to be those of the preprocess (3, in order), received ${columns.length}`,
          details: { where: 'inputs', expected: ['pay', 'work', 'age'], received: columns },
        }),
      );
    },
  );

  it('refuses rows that are not there, and images', async () => {
    await expect(openTableInputs(table(), spec).batch([2])).rejects.toThrow(
      'batch: expected rows from 0 to 1',
    );
    expect(() => openTableInputs(images(), spec)).toThrow(
      'inputs: expected manifest and preprocess of one kind, received image rows for table inputs',
    );
  });
});
