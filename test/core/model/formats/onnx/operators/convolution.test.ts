import { describe, expect, test } from 'vitest';
import type { AttributeValue } from '../../../../../helpers/onnx.ts';
import { expectLikeRuntime, madeModel, madeWeight, networkOf } from '../../../../../helpers/onnx.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

const conv = (
  kernel: readonly number[],
  attributes: Readonly<Record<string, AttributeValue>>,
  hasBias = false,
) => ({
  nodes: [{ op: 'Conv', inputs: ['x', 'w', ...(hasBias ? ['b'] : [])], attributes }],
  initializers: [madeWeight('w', kernel), ...(hasBias ? [madeWeight('b', [kernel[0]!], 2)] : [])],
  input: [null, null, null, null],
});

describe('Conv gives what onnxruntime gives', () => {
  withBackend('wasm');

  test.each<[string, readonly number[], Readonly<Record<string, AttributeValue>>, readonly number[]]>([
    ['without attributes', [4, 3, 3, 3], {}, [2, 3, 6, 7]],
    ['padded unevenly', [2, 3, 3, 2], { pads: [1, 0, 2, 1] }, [2, 3, 5, 4]],
    ['in strides', [2, 3, 3, 3], { strides: [2, 1], pads: [1, 1, 1, 1] }, [1, 3, 7, 5]],
    ['dilated', [2, 2, 3, 2], { dilations: [2, 3], pads: [2, 1, 2, 2] }, [2, 2, 8, 7]],
    ['with SAME_UPPER', [2, 2, 3, 4], { auto_pad: 'SAME_UPPER', strides: [2, 2] }, [2, 2, 7, 6]],
    ['with SAME_LOWER', [2, 2, 2, 4], { auto_pad: 'SAME_LOWER', strides: [2, 2] }, [2, 2, 7, 6]],
    ['with VALID', [2, 2, 3, 3], { auto_pad: 'VALID' }, [2, 2, 5, 5]],
    ['for each channel alone', [4, 1, 3, 3], { group: 4, pads: [1, 1, 1, 1] }, [2, 4, 5, 6]],
    ['for each channel alone, dilated', [4, 1, 3, 3], { group: 4, dilations: [2, 2] }, [2, 4, 7, 6]],
    ['with two filters a channel', [6, 1, 3, 3], { group: 3, strides: [2, 2] }, [2, 3, 6, 6]],
    ['in groups of channels', [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }, [2, 4, 5, 5]],
  ])('%s', async (_, kernel, attributes, shape) => {
    await expectLikeRuntime(conv(kernel, attributes, shape[0] === 2), shape);
  });
});

describe('Conv refuses', () => {
  const shapeOf = (made: Parameters<typeof madeModel>[0], shape: readonly number[]) => {
    const network = networkOf(madeModel(made));
    try {
      return network.trace(shape).output.shape;
    } finally {
      network.dispose();
    }
  };
  withBackend('wasm');

  test.each<[string, readonly number[], Readonly<Record<string, AttributeValue>>, readonly number[], RegExp]>(
    [
      [
        'another depth',
        [4, 2, 3, 3],
        {},
        [1, 3, 5, 5],
        /Conv "y" \(opset 17\): expected a kernel for 3 channels in 1/,
      ],
      ['groups that do not divide', [4, 1, 3, 3], { group: 3 }, [1, 3, 5, 5], /in 3 groups/],
      ['a signal', [4, 3, 3], {}, [1, 3, 9], /expected images/],
      ['a window beyond the image', [4, 3, 9, 9], {}, [1, 3, 5, 5], /expected windows within/],
      [
        'a stride of 0',
        [4, 3, 3, 3],
        { strides: [0, 1] },
        [1, 3, 5, 5],
        /strides and dilations of 1 or more/,
      ],
      ['a pad below 0', [4, 3, 3, 3], { pads: [-1, 0, 0, 0] }, [1, 3, 5, 5], /four pads of 0 or more/],
      ['another auto_pad', [4, 3, 3, 3], { auto_pad: 'FULL' }, [1, 3, 5, 5], /received FULL/],
      [
        'a result of endless size',
        [4, 3, 3, 3],
        { pads: [2 ** 30, 2 ** 30, 0, 0] },
        [1, 3, 5, 5],
        /at most 8 axes and/,
      ],
    ],
  )('%s', (_, kernel, attributes, shape, message) => {
    expect(() => shapeOf(conv(kernel, attributes), shape)).toThrow(message);
  });

  test('a bias for other filters', () => {
    const made = conv([4, 3, 3, 3], {}, true);
    const initializers = [made.initializers[0]!, madeWeight('b', [5])];
    expect(() => shapeOf({ ...made, initializers }, [1, 3, 5, 5])).toThrow(
      /expected a bias of 4, received \[5\]/,
    );
  });
});
