import { describe, expect, it } from 'vitest';
import { loadDataConfig } from '../../../core/data/data-config.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();
const preprocess = { scale: 1, mean: 0, std: 1, channels: 'grey' };

describe('loadDataConfig', () => {
  it('reads columns and an inline preprocess', async () => {
    const columns = { label: 'malignant', sensitiveFeatures: ['sex'] };
    const path = await folder.write('config.json', JSON.stringify({ columns, preprocess }));
    await expect(loadDataConfig(path)).resolves.toEqual({
      columns,
      preprocess: { ...preprocess, resize: 'stretch' },
    });
  });

  it('finds a preprocess file beside the config', async () => {
    await folder.write('sub/pre.json', JSON.stringify(preprocess));
    const path = await folder.write('sub/config.json', '{ "preprocess": "pre.json" }');
    await expect(loadDataConfig(path)).resolves.toEqual({
      columns: {},
      preprocess: folder.at('sub/pre.json'),
    });
  });

  it('knows presets by name', async () => {
    const path = await folder.write('preset.json', '{ "preprocess": "unit" }');
    await expect(loadDataConfig(path)).resolves.toEqual({ columns: {}, preprocess: 'unit' });
  });

  it('may give nothing', async () => {
    await expect(loadDataConfig(await folder.write('empty.json', '{}'))).resolves.toEqual({ columns: {} });
  });

  it.each([
    ['{ "colums": {} }', 'unknown key "colums"'],
    ['{ "columns": { "lable": "x" } }', 'unknown key "columns.lable"'],
    ['{ "columns": { "label": 1 } }', '"columns.label" must be text, received 1'],
    [
      '{ "columns": { "label": " " } }',
      '"columns.label" must have at least 1 character, received empty text',
    ],
    [
      '{ "columns": { "sensitiveFeatures": "sex" } }',
      '"columns.sensitiveFeatures" must be a list, received text of 3 characters',
    ],
    [
      '{ "preprocess": { "scale": 1 } }',
      '"mean" is missing, it must be a number or be a list; "std" is missing, it must be a number or be a list',
    ],
  ])('refuses %s', async (content, sentence) => {
    const path = await folder.write('wrong.json', content);
    await expect(loadDataConfig(path)).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: `${path}: ${sentence}`,
    });
  });
});
