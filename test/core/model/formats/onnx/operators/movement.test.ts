import { describe, expect, test } from 'vitest';
import type { AttributeValue, MadeModel } from '../../../../../helpers/onnx.ts';
import {
  expectLikeRuntime,
  madeModel,
  madeTensor,
  madeWeight,
  networkOf,
} from '../../../../../helpers/onnx.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

type Attributes = Readonly<Record<string, AttributeValue>>;
const SHAPE = [2, 3, 4, 6];

interface Case {
  readonly op: string;
  /** Inputs after the first, by name. */
  readonly numbers?: Readonly<Record<string, readonly number[]>>;
  readonly attributes?: Attributes;
  readonly outputs?: readonly string[];
  readonly opset?: number;
}

/** On the input, or on what a convolution makes of it, whose channels lie last in memory. */
function moved(
  { op, numbers = {}, attributes = {}, outputs = ['y'], opset = 17 }: Case,
  isConvolved: boolean,
): MadeModel {
  return {
    nodes: [
      ...(isConvolved ? [{ op: 'Conv', inputs: ['x', 'k'], outputs: ['c'] }] : []),
      { op, inputs: [isConvolved ? 'c' : 'x', ...Object.keys(numbers)], attributes, outputs },
    ],
    initializers: [
      madeWeight('k', [3, 3, 1, 1]),
      ...Object.entries(numbers)
        .filter(([, values]) => values.length > 0)
        .map(([name, values]) =>
          madeTensor(
            name,
            name === 'index' ? [] : [values.length],
            values,
            name === 'fill' ? 'float' : 'int64',
          ),
        ),
    ],
    input: [null, null, null, null],
    opset,
  };
}

const CASES: readonly [string, Case][] = [
  ['Reshape', { op: 'Reshape', numbers: { shape: [0, -1] } }],
  ['Reshape that splits channels', { op: 'Reshape', numbers: { shape: [2, 1, 3, 4, 6] } }],
  ['Reshape across axes', { op: 'Reshape', numbers: { shape: [4, 6, 6] } }],
  ['Reshape of the last axes', { op: 'Reshape', numbers: { shape: [0, 0, 24] } }],
  ['Flatten', { op: 'Flatten', attributes: { axis: 2 } }],
  ['Flatten from the back', { op: 'Flatten', attributes: { axis: -1 } }],
  ['Unsqueeze', { op: 'Unsqueeze', numbers: { axes: [1, -1] } }],
  ['Unsqueeze of opset 11', { op: 'Unsqueeze', attributes: { axes: [0, 2] }, opset: 11 }],
  ['Transpose', { op: 'Transpose', attributes: { perm: [0, 3, 1, 2] } }],
  ['Transpose of all axes', { op: 'Transpose' }],
  ['Tile', { op: 'Tile', numbers: { repeats: [1, 2, 1, 3] } }],
  ['Split', { op: 'Split', attributes: { axis: 1 }, outputs: ['a', 'y', 'b'] }],
  [
    'Split by sizes',
    { op: 'Split', numbers: { sizes: [1, 5] }, attributes: { axis: -1 }, outputs: ['a', 'y'] },
  ],
  [
    'Split of opset 11',
    { op: 'Split', attributes: { axis: 1, split: [1, 2] }, outputs: ['a', 'y'], opset: 11 },
  ],
  [
    'Split into parts that are not even',
    { op: 'Split', attributes: { axis: 1, num_outputs: 2 }, outputs: ['a', 'y'], opset: 18 },
  ],
  ['Slice', { op: 'Slice', numbers: { starts: [1, 1], ends: [3, 100], axes: [1, 3] } }],
  ['Slice from the back', { op: 'Slice', numbers: { starts: [-2], ends: [2 ** 50], axes: [2] } }],
  ['Slice in steps', { op: 'Slice', numbers: { starts: [0, 1], ends: [4, 6], axes: [2, 3], steps: [2, 3] } }],
  ['Slice backwards', { op: 'Slice', numbers: { starts: [-1], ends: [-(2 ** 50)], axes: [1], steps: [-1] } }],
  ['Slice of everything', { op: 'Slice', numbers: { starts: [0], ends: [3], axes: [1] } }],
  ['Gather of one', { op: 'Gather', numbers: { index: [-1] }, attributes: { axis: 1 } }],
  ['Gather of some', { op: 'Gather', numbers: { indices: [2, 0, 2] }, attributes: { axis: 1 } }],
  ['Pad', { op: 'Pad', numbers: { pads: [0, 1, 0, 2, 0, 0, 3, 1] } }],
  ['Pad with a number', { op: 'Pad', numbers: { pads: [0, 0, 1, 1, 0, 0, 0, 0], fill: [0.5] } }],
  [
    'Pad by reflection',
    { op: 'Pad', numbers: { pads: [0, 0, 2, 1, 0, 0, 3, 4] }, attributes: { mode: 'reflect' } },
  ],
  [
    'Pad by the edge',
    { op: 'Pad', numbers: { pads: [0, 1, 0, 1, 0, 0, 2, 1] }, attributes: { mode: 'edge' } },
  ],
  ['Pad with nothing', { op: 'Pad', numbers: { pads: [0, 0, 0, 0, 0, 0, 0, 0] } }],
  ['Pad of some axes', { op: 'Pad', numbers: { pads: [1, 2], '': [], axes: [3] }, opset: 18 }],
];

describe.each([false, true])(
  'what moves entries gives what onnxruntime gives (after a convolution: %s)',
  (isConvolved) => {
    withBackend('wasm');

    test.each(CASES)('%s', async (_, each) => {
      await expectLikeRuntime(moved(each, isConvolved), SHAPE);
    });
  },
);

describe('what moves entries, on weights and between orders,', () => {
  withBackend('wasm');
  const table = (nodes: MadeModel['nodes'], initializers: MadeModel['initializers']): MadeModel => ({
    nodes,
    initializers: initializers!,
    input: [null, null],
  });

  test.each<[string, MadeModel, readonly number[]]>([
    [
      'expands a token to the batch',
      table(
        [
          { op: 'Shape', inputs: ['x'], outputs: ['s'] },
          { op: 'Expand', inputs: ['w', 's'], outputs: ['e'] },
          { op: 'Concat', inputs: ['e', 'x'], attributes: { axis: 1 } },
        ],
        [madeWeight('w', [1, 3])],
      ),
      [2, 3],
    ],
    [
      'gathers rows of a table of weights by a table of indices',
      table(
        [
          { op: 'Gather', inputs: ['w', 'i'], outputs: ['g'] },
          { op: 'MatMul', inputs: ['x', 'g'] },
        ],
        [madeWeight('w', [5, 4]), madeTensor('i', [2, 3], [0, 2, 4, 4, 1, 0], 'int64')],
      ),
      [3, 3],
    ],
    ['joins one', table([{ op: 'Concat', inputs: ['x'], attributes: { axis: 0 } }], []), [2, 3]],
    [
      'squeezes what was summed',
      table(
        [
          { op: 'ReduceMean', inputs: ['x'], outputs: ['m'], attributes: { axes: [1] } },
          { op: 'Squeeze', inputs: ['m', 'axes'] },
        ],
        [madeTensor('axes', [1], [1], 'int64')],
      ),
      [2, 3],
    ],
  ])('%s', async (_, made, shape) => {
    await expectLikeRuntime(made, shape);
  });

  test('shuffles channels of a convolution with one transpose', async () => {
    const made: MadeModel = {
      nodes: [
        { op: 'Conv', inputs: ['x', 'k'], outputs: ['c'] },
        { op: 'Reshape', inputs: ['c', 'apart'], outputs: ['r'] },
        { op: 'Transpose', inputs: ['r'], outputs: ['t'], attributes: { perm: [0, 2, 1, 3, 4] } },
        { op: 'Reshape', inputs: ['t', 'together'], outputs: ['u'] },
        { op: 'Conv', inputs: ['u', 'l'] },
      ],
      initializers: [
        madeWeight('k', [6, 3, 1, 1]),
        madeWeight('l', [2, 6, 1, 1], 2),
        madeTensor('apart', [5], [0, 2, 3, 4, 5], 'int64'),
        madeTensor('together', [4], [0, 6, 4, 5], 'int64'),
      ],
      input: [null, null, null, null],
    };
    await expectLikeRuntime(made, [2, 3, 4, 5]);
    const network = networkOf(madeModel(made));
    const { steps } = network.trace([2, 3, 4, 5]).plan;
    expect(steps.filter(({ op }) => op === 'Transpose').length).toBe(3); // with those of input and output
    network.dispose();
  });
});

describe('what moves entries refuses', () => {
  withBackend('wasm');

  test.each<[string, Case, RegExp]>([
    [
      'a shape of another size',
      { op: 'Reshape', numbers: { shape: [5, 5] } },
      /as many entries as \[2, 3, 4, 6\], received \[5, 5\]/,
    ],
    ['two open extents', { op: 'Reshape', numbers: { shape: [-1, -1] } }, /as many entries/],
    [
      'an axis that is not of extent 1',
      { op: 'Squeeze', numbers: { axes: [1] } },
      /expected axes of extent 1/,
    ],
    ['an axis twice', { op: 'Unsqueeze', numbers: { axes: [1, 1] } }, /expected distinct axes/],
    [
      'a permutation that is none',
      { op: 'Transpose', attributes: { perm: [0, 1, 2, 2] } },
      /expected a permutation of axes/,
    ],
    [
      'a shape to expand to that does not fit',
      { op: 'Expand', numbers: { shape: [5] } },
      /the input broadcasts to/,
    ],
    ['too few repeats', { op: 'Tile', numbers: { repeats: [2] } }, /one number for each axis/],
    [
      'parts of another sum',
      { op: 'Split', numbers: { sizes: [1, 1] }, attributes: { axis: 1 }, outputs: ['y', 'z'] },
      /expected 2 parts of 3/,
    ],
    [
      'a step of 0',
      { op: 'Slice', numbers: { starts: [0], ends: [1], axes: [0], steps: [0] } },
      /a start, an end and a step/,
    ],
    [
      'an empty slice',
      { op: 'Slice', numbers: { starts: [1], ends: [1] } },
      /output of Slice: expected entries/,
    ],
    [
      'an index beyond the axis',
      { op: 'Gather', numbers: { index: [3] }, attributes: { axis: 1 } },
      /expected indices into 3/,
    ],
    ['pads below 0', { op: 'Pad', numbers: { pads: [0, 0, 0, -1, 0, 0, 0, 0] } }, /two widths of 0 or more/],
    [
      'another mode of pads',
      { op: 'Pad', numbers: { pads: [0, 0, 0, 1, 0, 0, 0, 0] }, attributes: { mode: 'mirror' } },
      /received mirror/,
    ],
  ])('%s', (_, each, message) => {
    const network = networkOf(madeModel(moved(each, false)));
    expect(() => network.trace(SHAPE)).toThrow(message);
    network.dispose();
  });

  test('shapes that do not join', () => {
    const network = networkOf(
      madeModel({
        nodes: [{ op: 'Concat', inputs: ['x', 'w'], attributes: { axis: 1 } }],
        initializers: [madeWeight('w', [3, 3])],
        input: [null, null],
      }),
    );
    expect(() => network.trace([2, 3])).toThrow(/expected shapes that fit together/);
    network.dispose();
  });
});
