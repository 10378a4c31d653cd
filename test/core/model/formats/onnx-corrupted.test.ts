import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { isCounterweightError } from '../../../../core/errors.ts';
import type { GraphProto } from '../../../../core/model/formats/onnx/file/onnx-pb.ts';
import { loadOnnx } from '../../../../core/model/formats/onnx.ts';
import type { Random } from '../../../../worker/random.ts';
import { makeRandom } from '../../../../worker/random.ts';
import { useTempFolder } from '../../../helpers/files.ts';
import type { MadeNode } from '../../../helpers/onnx.ts';
import {
  decodeModel,
  encodeModel,
  madeModel,
  madeTensor,
  madeWeight,
  ONNX_FIXTURES,
} from '../../../helpers/onnx.ts';
import { noise, withBackend } from '../../../helpers/tensors.ts';

const MOST_MS = 1000;
const MOST_BYTES = 500 * 2 ** 20;

const read = (name: string) => new Uint8Array(readFileSync(path.join(ONNX_FIXTURES, `${name}.onnx`)));
const int64 = (name: string, values: readonly number[]) => madeTensor(name, [values.length], values, 'int64');

/** A head after some nodes from `x` to `f`. */
const made = (
  nodes: readonly MadeNode[],
  initializers: Parameters<typeof madeModel>[0]['initializers'] = [],
) =>
  encodeModel(
    madeModel({
      nodes: [...nodes, { op: 'Gemm', inputs: ['f', 'w'] }],
      initializers: [madeWeight('w', [4, 1]), ...initializers],
      input: [null, 4],
    }),
  );

/** A constant that grows tenfold with every node. */
function growing(): Uint8Array {
  const nodes = Array.from({ length: 12 }, (_, step) => ({
    op: 'Concat',
    inputs: Array.from({ length: 10 }, () => (step === 0 ? 'seed' : `grown${step}`)),
    outputs: [`grown${step + 1}`],
    attributes: { axis: 0 },
  }));
  return made(
    [...nodes, { op: 'Reshape', inputs: ['x', 'grown12'], outputs: ['f'] }],
    [int64('seed', [1, 1])],
  );
}

/** Messages that hold messages, deeper than any graph. */
function nested(): Uint8Array {
  let bytes = Buffer.from([]);
  for (let depth = 0; depth < 20_000; depth += 1) {
    const length: number[] = [];
    for (let rest = bytes.length; ; rest >>>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    bytes = Buffer.concat([Buffer.from([depth % 2 === 0 ? 0x0a : 0x2a, ...length]), bytes]);
  }
  return bytes;
}

const MADE: readonly [string, () => Uint8Array][] = [
  [
    'a pad of 2⁴⁰',
    () => made([{ op: 'Pad', inputs: ['x', 'p'], outputs: ['f'] }], [int64('p', [0, 0, 0, 2 ** 40])]),
  ],
  [
    'a tile of 2⁴⁰',
    () => made([{ op: 'Tile', inputs: ['x', 'p'], outputs: ['f'] }], [int64('p', [1, 2 ** 40])]),
  ],
  [
    'an expansion to 2⁶⁰',
    () =>
      made([{ op: 'Expand', inputs: ['x', 'p'], outputs: ['f'] }], [int64('p', [2 ** 30, 2 ** 30, 1, 4])]),
  ],
  [
    'a constant of 2⁴⁰',
    () =>
      made(
        [
          { op: 'ConstantOfShape', inputs: ['p'], outputs: ['c'] },
          { op: 'Add', inputs: ['x', 'c'], outputs: ['f'] },
        ],
        [int64('p', [2 ** 40])],
      ),
  ],
  ['constants that grow', growing],
  [
    'a weight of 2⁶⁰ entries',
    () =>
      made(
        [{ op: 'MatMul', inputs: ['x', 'big'], outputs: ['f'] }],
        [madeTensor('big', [2 ** 30, 2 ** 30], [1])],
      ),
  ],
  [
    'a weight of −4 entries',
    () => made([{ op: 'Add', inputs: ['x', 'big'], outputs: ['f'] }], [madeTensor('big', [-4], [1])]),
  ],
  [
    'a rank of 1000',
    () =>
      made(
        [{ op: 'Add', inputs: ['x', 'big'], outputs: ['f'] }],
        [
          madeTensor(
            'big',
            Array.from({ length: 1000 }, () => 1),
            [1],
          ),
        ],
      ),
  ],
  [
    'a rank of 1000 by Reshape',
    () =>
      made(
        [{ op: 'Reshape', inputs: ['x', 'p'], outputs: ['f'] }],
        [int64('p', [-1, ...Array.from({ length: 1000 }, () => 1)])],
      ),
  ],
  [
    'a range without end',
    () =>
      made(
        [
          { op: 'Range', inputs: ['a', 'b', 'd'], outputs: ['c'] },
          { op: 'Add', inputs: ['x', 'c'], outputs: ['f'] },
        ],
        [
          madeTensor('a', [], [0], 'int64'),
          madeTensor('b', [], [2 ** 50], 'int64'),
          madeTensor('d', [], [1], 'int64'),
        ],
      ),
  ],
  [
    'a loop',
    () =>
      made([
        { op: 'Add', inputs: ['x', 'g'], outputs: ['f'] },
        { op: 'Relu', inputs: ['f'], outputs: ['g'] },
      ]),
  ],
  ['nested messages', nested],
  [
    'a repeated node name',
    () =>
      made([
        { op: 'Relu', inputs: ['x'], outputs: ['f'] },
        { op: 'Relu', inputs: ['x'], outputs: ['f'] },
      ]),
  ],
];

describe('a damaged file ends in a typed error, soon and in little memory', () => {
  withBackend('cpu');
  const folder = useTempFolder();

  /** The error; null when the file is read after all, as one may be whose damage is in a weight. */
  async function outcome(bytes: Uint8Array): Promise<unknown> {
    const file = await folder.write('damaged.onnx', bytes);
    const before = process.memoryUsage().rss;
    const start = performance.now();
    const error = await loadOnnx(file).then(
      (classifier) => {
        classifier.dispose();
        return null;
      },
      (cause: unknown) => cause,
    );
    expect(performance.now() - start).toBeLessThan(MOST_MS);
    expect(process.memoryUsage().rss - before).toBeLessThan(MOST_BYTES);
    expect(error === null || isCounterweightError(error), String((error as Error)?.stack)).toBe(true);
    return error;
  }

  test.each(MADE)('%s', async (_, make) => {
    expect(await outcome(make())).not.toBeNull();
  });

  test.each(['mlp', 'vgg-like', 'resnet14', 'shufflenet-v2'])('%s cut off at 15 places', async (name) => {
    const bytes = read(name);
    const shares = Array.from({ length: 15 }, (_, place) => (place + 0.5) / 15.5);
    for (const share of shares) {
      expect(await outcome(bytes.subarray(0, Math.floor(share * bytes.length)))).not.toBeNull();
    }
  });

  test.each(['mlp', 'vgg-like', 'shufflenet-v2'])('%s with bits flipped, 25 times', async (name) => {
    const bytes = read(name);
    let refused = 0;
    for (let seed = 0; seed < 25; seed += 1) {
      const damaged = bytes.slice();
      // most of a file is weights: flips go to the names and shapes between them too
      for (const place of noise(20, seed))
        damaged[Math.floor(((place + 1) / 2) * damaged.length)]! ^= 1 << (seed % 8);
      if ((await outcome(damaged)) !== null) refused += 1;
    }
    expect(refused).toBeGreaterThan(0);
  });

  test.each(['mlp', 'densenet-small', 'shufflenet-v2', 'vit-small'])(
    '%s with fields changed, 25 times',
    async (name) => {
      let refused = 0;
      for (let seed = 0; seed < 25; seed += 1) {
        const model = decodeModel(read(name));
        changeFields(model.graph!, makeRandom(seed));
        if ((await outcome(encodeModel(model))) !== null) refused += 1;
      }
      expect(refused).toBeGreaterThan(10);
    },
  );
});

const ODD = [0n, -1n, 7n, 2n ** 31n, 2n ** 40n, 2n ** 62n, -(2n ** 63n)];
const OPERATORS = ['Reshape', 'Concat', 'Gather', 'Pad', 'Expand', 'Conv', 'Where', 'Range', 'constructor'];

/** What no flip of a bit hits: other operators, other edges, sizes and types that are well-formed but wrong. */
function changeFields({ node: nodes, initializer }: GraphProto, random: Random): void {
  const pick = <T>(list: readonly T[]) => list[random.integer(list.length)]!;
  const node = pick(nodes);
  const tensor = pick(initializer);
  const numbers = pick(nodes.flatMap(({ attribute }) => attribute));
  const changes = [
    () => tensor.dims.splice(random.integer(tensor.dims.length + 1), 1, pick(ODD)),
    () => tensor.dims.pop(),
    () => Object.assign(tensor, { dataType: pick([1, 3, 7, 8, 9, 10, 11]) }),
    () => Object.assign(node, { opType: pick(OPERATORS) }),
    () => node.input.splice(random.integer(node.input.length + 1), 1, pick(nodes).output[0]!),
    () => node.input.splice(0, 1, tensor.name),
    () => node.input.pop(),
    () =>
      numbers.ints.length > 0
        ? numbers.ints.splice(0, 1, pick(ODD))
        : Object.assign(numbers, { i: pick(ODD) }),
    () => Object.assign(numbers, { name: pick(['axis', 'perm', 'pads', 'group', 'to', 'value']) }),
  ];
  for (let step = 0; step < 2; step += 1) pick(changes)();
}
