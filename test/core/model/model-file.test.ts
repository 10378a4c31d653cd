import { describe, expect, it } from 'vitest';
import { isPickle, modelCandidates, modelEnding } from '../../../core/model/model-file.ts';

describe('the ending of a file', () => {
  it.each([
    ['model.json', '.json'],
    ['uploads/a.b/Net.ONNX', '.onnx'],
    ['net.v2.keras', '.keras'],
    ['net.h5', '.h5'],
    ['net.hdf5', '.hdf5'],
    ['net.tflite', null],
    ['net', null],
    ['net.onnx.data', null],
    ['folder.onnx/net', null],
    ['.onnx', null],
  ])('of %s is that of a model: %s', (name, ending) => {
    expect(modelEnding(name)).toBe(ending);
  });

  it.each([
    ['net.pt', true],
    ['net.PTH', true],
    ['net.pkl', true],
    ['net.joblib', true],
    ['last.ckpt', true],
    ['net.onnx', false],
    ['pt', false],
  ])('of %s is that of a pickle: %s', (name, is) => {
    expect(isPickle(name)).toBe(is);
  });
});

describe('the files of a folder that may be its model', () => {
  it.each<[string, string[], string[]]>([
    ['model.json, whatever lies beside it', ['a.onnx', 'model.json', 'w.bin', 'b.pt'], ['model.json']],
    [
      'the only file of another format',
      ['preprocess.json', 'Net.ONNX', 'net.onnx.data', 'x.png'],
      ['Net.ONNX'],
    ],
    ['what a pickle was exported to', ['net.pt', 'net.onnx'], ['net.onnx']],
    ['each of several', ['a.keras', 'a.h5'], ['a.keras', 'a.h5']],
    ['a pickle where there is nothing else', ['preprocess.json', 'a.pth', 'b.pth'], ['a.pth']],
    ['none', ['preprocess.json', 'w.bin', 'net.tflite'], []],
    ['none of no files', [], []],
  ])('are %s', (_, names, candidates) => {
    expect(modelCandidates(names)).toEqual(candidates);
  });
});
