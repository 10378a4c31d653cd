import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { OPERATOR_NAMES } from '../../../../../../core/model/formats/onnx/operators/index.ts';
import type { MadeNode } from '../../../../../helpers/onnx.ts';
import { expectLikeRuntime, madeModel, networkOf } from '../../../../../helpers/onnx.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

describe('operators', () => {
  withBackend('wasm');

  test('are those that docs/models.md lists', () => {
    const page = readFileSync(path.join(import.meta.dirname, '../../../../../../docs/models.md'), 'utf8');
    const [, list] = /<!-- operators -->([^<]*)<!-- end -->/.exec(page)!;
    expect(list!.match(/\w+/g)).toEqual(OPERATOR_NAMES);
  });

  test('pass floats on as they are', async () => {
    const nodes = [
      { op: 'Cast', inputs: ['x'], outputs: ['c'], attributes: { to: 1 } },
      { op: 'Identity', inputs: ['c'], outputs: ['i'] },
      { op: 'Relu', inputs: ['i'] },
    ];
    await expectLikeRuntime({ nodes, input: [null, 2] }, [3, 2]);
  });

  test.each<[string, MadeNode, RegExp]>([
    [
      'is not known',
      { op: 'Loop', name: 'l', inputs: ['x'] },
      /Loop "l" \(opset 17\): expected an operator of the list/,
    ],
    ['is of another domain', { op: 'Relu', domain: 'com.acme', inputs: ['x'] }, /com.acme.Relu/],
    ['is a name that every object has', { op: 'constructor', inputs: ['x'] }, /constructor/],
    [
      'is for constants alone',
      { op: 'ScatterND', inputs: ['x', 'x', 'x'] },
      /inputs that do not depend on the model's input/,
    ],
    [
      'makes integers',
      { op: 'Cast', inputs: ['x'], attributes: { to: 7 } },
      /a cast to floats, received one to ONNX type 7/,
    ],
    [
      'reads its settings from values',
      { op: 'Reshape', inputs: ['x', 'x'] },
      /at place 1 that does not depend/,
    ],
  ])('are refused where one %s', (_, node, message) => {
    const network = networkOf(madeModel({ nodes: [node], input: [null, 2] }));
    expect(() => network.trace([1, 2])).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_MODEL', message: expect.stringMatching(message) }),
    );
    network.dispose();
  });
});
