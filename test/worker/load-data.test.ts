import { expect, it } from 'vitest';
import { besideModel } from '../../worker/load-data.ts';
import { useTempFolder } from '../helpers/files.ts';

const folder = useTempFolder();

it('finds preprocess.json by the folder or by model.json, and nothing where there is none', async () => {
  const file = await folder.write('beside/preprocess.json', '{}');
  const model = await folder.write('model/model.json', '{}');
  expect(besideModel(folder.at('beside'))).toBe(file);
  expect(besideModel(folder.at('beside/model.json'))).toBe(file);
  expect(besideModel(model)).toBeNull();
});
