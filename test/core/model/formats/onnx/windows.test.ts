import { describe, expect, test } from 'vitest';
import { Attributes } from '../../../../../core/model/formats/onnx/attributes.ts';
import type { Call } from '../../../../../core/model/formats/onnx/call.ts';
import { windowsOf } from '../../../../../core/model/formats/onnx/windows.ts';
import type { AttributeValue } from '../../../../helpers/onnx.ts';
import { madeNode } from '../../../../helpers/onnx.ts';

/** Windows of 3 × 3 over 5 × 6. */
function windows(attributes: Readonly<Record<string, AttributeValue>>) {
  const proto = madeNode({ op: 'MaxPool', name: 'p', inputs: ['x'], attributes });
  const node = { op: 'MaxPool', name: 'p', inputs: ['x'], outputs: ['y'], attributes: new Attributes(proto) };
  return windowsOf({ node, opset: 17 } as unknown as Call, { shape: [1, 2, 5, 6], size: [3, 3] });
}

describe('windowsOf', () => {
  test.each<[string, Readonly<Record<string, AttributeValue>>, number[], number[][], number[][]]>([
    [
      'nothing',
      {},
      [3, 4],
      [
        [0, 0],
        [0, 0],
      ],
      [
        [0, 0],
        [0, 0],
      ],
    ],
    [
      'pads',
      { pads: [1, 2, 3, 4] },
      [7, 10],
      [
        [1, 3],
        [2, 4],
      ],
      [
        [1, 3],
        [2, 4],
      ],
    ],
    [
      'strides',
      { strides: [2, 3] },
      [2, 2],
      [
        [0, 0],
        [0, 0],
      ],
      [
        [0, 0],
        [0, 0],
      ],
    ],
    [
      'dilations',
      { dilations: [2, 1] },
      [1, 4],
      [
        [0, 0],
        [0, 0],
      ],
      [
        [0, 0],
        [0, 0],
      ],
    ],
    [
      'SAME_UPPER',
      { auto_pad: 'SAME_UPPER', strides: [2, 2] },
      [3, 3],
      [
        [1, 1],
        [0, 1],
      ],
      [
        [1, 1],
        [0, 1],
      ],
    ],
    [
      'SAME_LOWER',
      { auto_pad: 'SAME_LOWER', strides: [2, 2] },
      [3, 3],
      [
        [1, 1],
        [1, 0],
      ],
      [
        [1, 1],
        [1, 0],
      ],
    ],
    [
      'ceil_mode',
      { ceil_mode: 1, strides: [2, 2] },
      [2, 3],
      [
        [0, 0],
        [0, 0],
      ],
      [
        [0, 0],
        [0, 1],
      ],
    ],
    [
      'ceil_mode with a window in the pads alone',
      { ceil_mode: 1, strides: [3, 3], pads: [0, 0, 2, 0] },
      [2, 2],
      [
        [0, 2],
        [0, 0],
      ],
      [
        [0, 2],
        [0, 0],
      ],
    ],
  ])('reads %s', (_, attributes, extents, pads, margins) => {
    expect(windows(attributes)).toMatchObject({ extents, pads, margins });
  });
});
