import { describe, expect, it } from 'vitest';
import {
  loadPreprocess,
  type Preprocess,
  parsePreprocess,
  resolvePreprocess,
} from '../../../core/data/preprocess.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();
const plain = { scale: 1, mean: 0, std: 1 };
const parse = (value: unknown) => parsePreprocess(value, 'pre.json');
const resolve = (value: unknown, shape: readonly (number | null)[]) => resolvePreprocess(parse(value), shape);

describe('parsePreprocess', () => {
  it('takes the file that comes with the models, unchanged', () => {
    const file = {
      size: [64, 64],
      scale: 0.00392156862745098,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      channels: 'RGB',
      output: 'logit',
    };
    expect(parse(file)).toEqual({ ...file, resize: 'stretch' });
  });

  it('fills the defaults of features', () => {
    const value = {
      features: [{ column: ' age ' }, { column: 'sex', categories: ['f', 'm'] }],
      output: 'score',
    };
    expect(parse(value)).toEqual({
      features: [
        { column: 'age', mean: 0, std: 1 },
        { column: 'sex', categories: ['f', 'm'], unknown: 'error' },
      ],
      output: 'score',
    });
  });

  it.each<[unknown, string]>([
    ['unit', ': the content must be an object, received text of 4 characters'],
    [null, ': the content must be an object, received null'],
    [{ ...plain, std: 0 }, ': "std" must be above 0, received 0'],
    [{ ...plain, std: [1, 0, 1] }, ': "std[1]" must be above 0, received 0'],
    [{ ...plain, std: Number.NaN }, ': "std" must be a number or be a list, received NaN'],
    [{ ...plain, mean: [0, Number.POSITIVE_INFINITY] }, ': "mean[1]" must be a number, received Infinity'],
    [{ ...plain, mean: [] }, ': "mean" must have at least 1 entry, received a list of 0'],
    [{ ...plain, mean: [0, 0], channels: 'RGB' }, ': "mean" must have 3 for RGB, received a list of 2'],
    [{ ...plain, std: [1, 1, 1], channels: 'grey' }, ': "std" must have 1 for grey, received a list of 3'],
    [{ ...plain, scale: 0 }, ': "scale" must not be 0'],
    [{ ...plain, size: [64] }, ': "size" must have at least 2 entries, received a list of 1'],
    [{ ...plain, size: [64, 0] }, ': "size[1]" must be at least 1, received 0'],
    [{ ...plain, size: [64, 9000] }, ': "size[1]" must be at most 8192, received 9000'],
    [{ ...plain, channels: 'rgb' }, ': "channels" must be one of "RGB", "BGR", "grey", received "rgb"'],
    [
      { ...plain, resize: 'crop' },
      ': "resize" must be one of "stretch", "cover", "contain", received "crop"',
    ],
    [{ ...plain, layout: 'HWC' }, ': "layout" must be one of "NHWC", "NCHW", received "HWC"'],
    [{ ...plain, output: 'prob' }, ': "output" must be one of "logit", "score", received "prob"'],
    [{ ...plain, men: 1 }, ': unknown key "men"'],
    [{ features: [] }, ': "features" must have at least 1 entry, received a list of 0'],
    [{ features: [{}] }, ', features[0]: "column" is missing, it must be text'],
    [{ features: [{ column: 'a' }, 5] }, ', features[1]: the content must be an object, received 5'],
    [{ features: [{ column: 'a', std: 0 }] }, ', features[0]: "std" must be above 0, received 0'],
    [
      { features: [{ column: 'a', categories: [] }] },
      ', features[0]: "categories" must have at least 1 entry, received a list of 0',
    ],
    [
      { features: [{ column: 'a', categories: ['x', 'x '] }] },
      ', features[0]: "categories" must be distinct',
    ],
    [{ features: [{ column: 'a', categories: ['x'], mean: 1 }] }, ', features[0]: unknown key "mean"'],
    [{ features: [{ column: 'a' }], scale: 1 }, ': unknown key "scale"'],
  ])('refuses %j', (value, sentence) => {
    expect(() => parse(value)).toThrow(
      expect.objectContaining({ name: 'InvalidInputError', message: `pre.json${sentence}` }),
    );
  });
});

describe('loadPreprocess', () => {
  it.each([
    [
      'imagenet',
      [3, 32, 32],
      { channels: 'RGB', layout: 'NCHW', scale: 1 / 255, mean: [0.485, 0.456, 0.406] },
    ],
    ['unit', [32, 32, 1], { channels: 'grey', layout: 'NHWC', scale: 1 / 255, mean: [0], std: [1] }],
    ['none', [32, 32, 3], { channels: 'RGB', layout: 'NHWC', scale: 1, mean: [0, 0, 0], std: [1, 1, 1] }],
  ])('knows the preset %s', async (name, shape, spec) => {
    const preset = await loadPreprocess(name);
    expect(resolvePreprocess(preset, shape)).toMatchObject({
      height: 32,
      width: 32,
      resize: 'stretch',
      ...spec,
    });
  });

  it('reads a file, by absolute path or from a folder', async () => {
    const path = await folder.write('pre.json', JSON.stringify(plain));
    const expected: Preprocess = { ...plain, resize: 'stretch' };
    await expect(loadPreprocess(path, 'ignored')).resolves.toEqual(expected);
    await expect(loadPreprocess('pre.json', folder.path)).resolves.toEqual(expected);
  });

  it('names the presets when there is no such file', async () => {
    await expect(loadPreprocess('imagnet', folder.path)).rejects.toMatchObject({
      name: 'StorageError',
      message: `${folder.at('imagnet')}: cannot be read (ENOENT); it is no preset either (imagenet, unit, none)`,
    });
  });

  it('names the file that is no JSON', async () => {
    const path = await folder.write('broken.json', '{');
    await expect(loadPreprocess(path)).rejects.toThrow(`${path}: expected JSON`);
  });

  it('does not take a property of every object for a preset', async () => {
    await expect(loadPreprocess('constructor', folder.path)).rejects.toThrow(/no preset either/);
  });
});

describe('resolvePreprocess, images', () => {
  it('spreads one mean and std over the channels', () => {
    expect(resolve({ scale: 2, mean: 3, std: [4, 5, 6], output: 'score' }, [8, 9, 3])).toEqual({
      kind: 'image',
      height: 8,
      width: 9,
      channels: 'RGB',
      layout: 'NHWC',
      resize: 'stretch',
      scale: 2,
      mean: [3, 3, 3],
      std: [4, 5, 6],
      output: 'score',
    });
  });

  it.each<[object, (number | null)[], object]>([
    [{}, [3, 8, 9], { layout: 'NCHW', height: 8, width: 9, channels: 'RGB' }],
    [{}, [1, 8, 9], { layout: 'NCHW', height: 8, width: 9, channels: 'grey' }],
    [{}, [3, 9, 3], { layout: 'NHWC', height: 3, width: 9 }],
    [{ layout: 'NCHW' }, [3, 9, 3], { layout: 'NCHW', height: 9, width: 3 }],
    [{ channels: 'BGR' }, [1, 9, 3], { layout: 'NHWC', height: 1, width: 9, channels: 'BGR' }],
    [{ channels: 'grey' }, [1, 9, 3], { layout: 'NCHW', height: 9, width: 3, channels: 'grey' }],
    [{ size: [5, 6] }, [null, null, 3], { height: 5, width: 6 }],
    [{ size: [5, 6] }, [3, null, null], { layout: 'NCHW', height: 5, width: 6 }],
    [{ size: [5, 6], channels: 'grey' }, [null, null, null], { layout: 'NHWC', channels: 'grey' }],
  ])('resolves %j for the shape %j', (choices, shape, spec) => {
    expect(resolve({ ...plain, ...choices }, shape)).toMatchObject(spec);
  });

  it.each<[object, (number | null)[], string]>([
    [{ size: [8, 8] }, [9, 9, 3], "expected inputs of the model's shape [9, 9, 3], received [8, 8, 3]"],
    [{ size: [8, 8] }, [null, 9, 3], "expected inputs of the model's shape [any, 9, 3], received [8, 8, 3]"],
    [{ channels: 'RGB' }, [9, 9, 1], "expected inputs of the model's shape [9, 9, 1], received [9, 9, 3]"],
    [
      { channels: 'grey', layout: 'NCHW' },
      [3, 9, 9],
      "expected inputs of the model's shape [3, 9, 9], received [1, 9, 9]",
    ],
    [{}, [9], 'expected a model of images [H, W, C] or [C, H, W], received [9]'],
    [{}, [9, 9, 4], 'expected a model of 1 or 3 channels, or "channels" to be given, received 4'],
    [{}, [9, 9, null], 'expected a model of 1 or 3 channels, or "channels" to be given, received any number'],
  ])('refuses %j for the shape %j', (choices, shape, sentence) => {
    expect(() => resolve({ ...plain, ...choices }, shape)).toThrow(
      expect.objectContaining({
        name: 'ShapeMismatchError',
        message: `preprocess: ${sentence}`,
        details: expect.objectContaining({ where: 'preprocess' }),
      }),
    );
  });

  it('wants a size for a model of any size', () => {
    expect(() => resolve(plain, [null, null, 3])).toThrow(
      expect.objectContaining({
        name: 'InvalidInputError',
        message:
          'preprocess: the model takes images of any size, expected "size": [height, width], received none',
      }),
    );
  });

  it('counts means against the channels that the model has', () => {
    expect(() => resolve({ ...plain, mean: [1, 2, 3] }, [9, 9, 1])).toThrow(
      expect.objectContaining({
        name: 'InvalidInputError',
        message: 'preprocess: "mean" must have 1 for grey, received a list of 3',
      }),
    );
  });
});

describe('resolvePreprocess, tables', () => {
  const table = {
    features: [{ column: 'age' }, { column: 'sex', categories: ['f', 'm', 'x'] }],
    output: 'logit',
  };

  it.each([[4], [null]])('counts one input per number and per category for [%s]', (width) => {
    expect(resolve(table, [width])).toMatchObject({ kind: 'table', width: 1 + 3, output: 'logit' });
  });

  it.each([
    [[5], '[5]'],
    [[4, 1], '[4, 1]'],
    [[8, 8, 3], '[8, 8, 3]'],
  ])('refuses a model of shape %j', (shape, spelled) => {
    expect(() => resolve({ features: table.features }, shape)).toThrow(
      expect.objectContaining({
        name: 'ShapeMismatchError',
        message: `preprocess: expected inputs of the model's shape ${spelled}, received [4]`,
      }),
    );
  });
});
