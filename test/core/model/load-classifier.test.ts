import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadClassifier } from '../../../core/model/load-classifier.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { ONNX_FIXTURES } from '../../helpers/onnx.ts';
import { SMALL_CNN } from '../../helpers/small-cnn.ts';
import { withBackend } from '../../helpers/tensors.ts';

describe('loadClassifier', () => {
  withBackend('cpu');
  const folder = useTempFolder();
  const formatOf = async (location: string) => {
    const classifier = await loadClassifier(location);
    classifier.dispose();
    return classifier.format;
  };

  test('chooses the format by what lies at the path', async () => {
    const mlp = path.join(ONNX_FIXTURES, 'mlp.onnx');
    await mkdir(folder.at('one'));
    await copyFile(mlp, folder.at('one/Net.ONNX'));
    await folder.write('one/preprocess.json', '{}');
    expect(await formatOf(SMALL_CNN)).toBe('tfjs-layers');
    expect(await formatOf(path.join(SMALL_CNN, 'model.json'))).toBe('tfjs-layers');
    expect(await formatOf(mlp)).toBe('onnx');
    expect(await formatOf(folder.at('one'))).toBe('onnx');
    expect(await formatOf(folder.at('one/Net.ONNX'))).toBe('onnx');
    await folder.write('one/net.pt', 'what it was exported from');
    expect(await formatOf(folder.at('one'))).toBe('onnx');
  });

  test.each(['model.pt', 'model.pth', 'model.PKL', 'last.ckpt'])(
    'refuses %s and says how to export it',
    async (name) => {
      const file = await folder.write(name, 'a pickle');
      await expect(loadClassifier(file)).rejects.toMatchObject({
        code: 'UNSUPPORTED_MODEL',
        message: expect.stringMatching(/a pickle runs code when it is read.*torch\.onnx\.export/),
      });
    },
  );

  test('refuses what it does not know', async () => {
    await expect(loadClassifier(await folder.write('model.txt', ''))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/\.onnx.*received a file of type "\.txt"/),
    });
    await expect(loadClassifier(folder.at('nothing'))).rejects.toMatchObject({ code: 'STORAGE' });
    await mkdir(folder.at('empty'));
    await expect(loadClassifier(folder.at('empty'))).rejects.toThrow(/model\.json/);
  });
});
