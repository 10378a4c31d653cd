import { readFile, symlink } from 'node:fs/promises';
import sharp from 'sharp';
import { beforeAll } from 'vitest';
import { type BadInput, CANARY, testBadInputs } from '../../helpers/cli.ts';
import { encodePng } from '../../helpers/files.ts';
import { drawPicture, useWorkshop } from '../../helpers/made-files.ts';

const folder = useWorkshop();
beforeAll(() => symlink(import.meta.filename, folder.at('link.png')));

const FLAGS = '--image file --label malignant --sensitive ink --preprocess unit';
const AUDIT = `audit --model model --manifest labels.csv ${FLAGS}`;
type Files = NonNullable<BadInput['files']>;

/** A manifest whose line 3 names another file. */
const manifestWith = (file: string) => async () =>
  (await readFile('labels.csv', 'utf8')).replace('images/external-inked-0-1.png', file);

/** The image on line 3, refused as its manifest is read. */
function path(name: string, received: string): BadInput {
  const rule = "expected an image's path relative to the manifest's folder (or root)";
  return {
    files: { 'bad.csv': manifestWith(name) },
    line: AUDIT.replace('labels.csv', 'bad.csv'),
    says: `bad.csv, line 3, column "file": ${rule}, received ${received}`,
  };
}

testBadInputs('the path of an image', {
  'that is absent': path('absent.png', '"absent.png", which does not exist'),
  'that is empty': path('', 'an empty cell'),
  'to a folder': path('images', '"images", which is no file'),
  'out of the folder': path('../secret.png', '"../secret.png", which leaves that folder'),
  'from the root of the disk': path('/etc/hostname', '"/etc/hostname", which is absolute'),
  'to a link out of the folder': path('link.png', '"link.png", which links to a place outside that folder'),
  'listed twice': {
    ...path('images/../images/external-inked-0-0.png', ''),
    says: 'bad.csv, lines 2 and 3: expected each image once, received "images/../images/external-inked-0-0.png" twice',
  },
  'below a root that is absent': {
    line: `${AUDIT} --root nowhere`,
    says: 'nowhere: cannot be read (ENOENT)',
    exit: [64, 'STORAGE'],
  },
});

const cutShort = (file: Buffer) => file.subarray(0, Math.floor(file.length * 0.7));
const picture = () => drawPicture({ label: 1, group: 'plain' }, 0);
const flat = () => sharp({ create: { width: 16, height: 16, channels: 3, background: '#804020' } });

/** The image on line 3, refused as it is decoded. */
function image(content: Files[string], says: string): BadInput {
  return {
    files: { 'bad.csv': manifestWith('bad.jpg'), 'bad.jpg': content },
    line: AUDIT.replace('labels.csv', 'bad.csv'),
    says: `line 3, image "bad.jpg": expected ${says}`,
  };
}

const bomb = encodePng({ width: 60_000, height: 60_000, depth: 8, kind: 'grey', values: [] });

testBadInputs('an image', {
  'that is text': image('no picture', 'a JPEG or PNG file, received a file of another kind'),
  'that is empty': image('', 'a JPEG or PNG file, received an empty file'),
  'that is a GIF by another name': image(() => flat().gif().toBuffer(), 'a JPEG or PNG file, received GIF'),
  'that is a PNG cut short': image(
    async () => cutShort(await picture()),
    'a whole PNG file, received one that is cut short or damaged',
  ),
  'that is a JPEG cut short': image(
    async () => cutShort(await flat().jpeg().toBuffer()),
    'a whole JPEG file, received one that is cut short or damaged',
  ),
  'that unfolds into gigapixels': image(bomb, 'at most 100000000 pixels, received 60000 × 60000'),
  'among good ones before a mitigation': {
    ...image('no picture', ''),
    line: `mitigate --model model --manifest bad.csv ${FLAGS} --out run`,
    says: '1 of 100 images cannot be used: line 3, image "bad.jpg": expected a JPEG or PNG file, received a file of another kind',
  },
});

const preprocess = (json: string, says: string, exit?: BadInput['exit']): BadInput => ({
  files: { 'bad.json': json },
  line: AUDIT.replace('unit', 'bad.json'),
  says,
  ...(exit && { exit }),
});
const MISMATCH = [65, 'SHAPE_MISMATCH'] as const;
const UNSUPPORTED = [65, 'UNSUPPORTED_MODEL'] as const;
const ABSENT = [64, 'STORAGE'] as const;

testBadInputs('a preprocess', {
  'that is not given': {
    line: AUDIT.replace('--preprocess unit', ''),
    says: 'preprocess: expected imagenet, unit, none or a file, received nothing; the model has no preprocess.json, and a guess would change every score',
  },
  'of an unknown name': {
    line: AUDIT.replace('unit', 'imagenette'),
    says: 'imagenette: cannot be read (ENOENT); it is no preset either (imagenet, unit, none)',
    exit: ABSENT,
  },
  'that is no JSON': preprocess(`{${CANARY}`, 'bad.json: expected JSON, received text that is no JSON'),
  'with a deviation of 0': preprocess(
    '{"scale": 1, "mean": 0, "std": 0}',
    'bad.json: "std" must be above 0, received 0',
  ),
  'with a misspelt choice': preprocess(
    '{"scale": 1, "mean": 0, "std": 1, "channels": "rgb"}',
    'bad.json: "channels" must be one of "RGB", "BGR", "grey", received "rgb"',
  ),
  'of another size than the model takes': preprocess(
    '{"size": [32, 32], "scale": 1, "mean": 0, "std": 1}',
    "preprocess: expected inputs of the model's shape [16, 16, 3], received [32, 32, 3]",
    MISMATCH,
  ),
  'of other channels than the model takes': preprocess(
    '{"scale": 1, "mean": 0, "std": 1, "channels": "grey"}',
    "preprocess: expected inputs of the model's shape [16, 16, 3], received [16, 16, 1]",
    MISMATCH,
  ),
  'of features for a model of images': preprocess(
    '{"features": [{"column": "age"}]}',
    "preprocess: expected inputs of the model's shape [16, 16, 3], received [1]",
    MISMATCH,
  ),
  'of images for a model of features': {
    line: AUDIT.replace('model model', 'model table-model'),
    says: 'preprocess: expected a model of images [H, W, C] or [C, H, W], received [4]',
    exit: MISMATCH,
  },
  'that promises another output': preprocess(
    '{"scale": 1, "mean": 0, "std": 1, "output": "score"}',
    'model output: expected a score, as the preprocess file says, received a logit (no sigmoid at its end)',
    UNSUPPORTED,
  ),
});

interface ModelJson {
  format: string;
  readonly modelTopology: { readonly model_config: { readonly config: { readonly layers: LayerJson[] } } };
  readonly weightsManifest: { paths: string[]; readonly weights: { name: string; shape: number[] }[] }[];
}
interface LayerJson {
  class_name: string;
  readonly config: { units?: number };
}

/** The made model with its model.json changed, and its weights; null for no shard. */
function model(
  change: (json: ModelJson) => void,
  weights: ((values: Float32Array) => Float32Array) | null = (values) => values,
): Files {
  const json = async () => {
    const value = JSON.parse(await readFile('model/model.json', 'utf8')) as ModelJson;
    change(value);
    return JSON.stringify(value);
  };
  if (weights === null) return { 'bad-model/model.json': json };
  const shard = async () => {
    const bytes = new Uint8Array(await readFile('model/weights.bin'));
    return new Uint8Array(weights(new Float32Array(bytes.buffer)).buffer);
  };
  return { 'bad-model/model.json': json, 'bad-model/weights.bin': shard };
}

const keep = () => {};
const layer = (json: ModelJson, index: number) => json.modelTopology.model_config.config.layers[index]!;
const bad = (files: Files, says: string, exit?: BadInput['exit']): BadInput => ({
  files,
  line: AUDIT.replace('model model', 'model bad-model'),
  says,
  ...(exit && { exit }),
});
const NON_FINITE = [70, 'NON_FINITE'] as const;
const BODY_WEIGHTS = 16 * 16 * 3 * 2 + 2;

testBadInputs('a model, as files,', {
  'that is absent': {
    line: 'inspect nowhere',
    says: 'model "nowhere": no such file or folder',
    exit: ABSENT,
  },
  'of a format that is not read': {
    files: { 'model.tflite': CANARY },
    line: 'inspect model.tflite',
    says: 'model "model.tflite": expected a file that ends in .onnx, .keras or .h5, or a folder with the model.json of a tfjs LayersModel, received a file of type ".tflite"',
  },
  'that is no ONNX in spite of its name': {
    files: { 'model.onnx': CANARY },
    line: 'inspect model.onnx',
    says: 'model file "model.onnx": expected an ONNX model, received bytes that do not decode as one',
  },
  'without a model': {
    line: 'inspect images',
    says: 'model "images": expected a model.json, or one file that ends in .onnx, .keras or .h5, received none',
  },
  'with two models': {
    files: { 'two/a.onnx': CANARY, 'two/b.keras': CANARY },
    line: 'inspect two',
    says: 'model "two": expected a model.json, or one file that ends in .onnx, .keras or .h5, received 2: a.onnx, b.keras',
  },
  'without its shard': bad(model(keep, null), 'model file "weights.bin": does not exist', ABSENT),
  'whose model.json is no JSON': bad(
    { 'bad-model/model.json': `<${CANARY}>` },
    'model file "model.json": expected JSON, received text that does not parse',
  ),
  'whose model.json is another JSON': bad(
    { 'bad-model/model.json': '{"columns": {}}' },
    'model file "model.json": "modelTopology" is missing, it must be an object; "weightsManifest" is missing, it must be a list',
  ),
  'whose weights are cut short': bad(
    model(keep, (values) => values.slice(0, 100)),
    `model weights weights.bin: expected ${4 * (BODY_WEIGHTS + 3)} bytes by the shapes in model.json, received 400`,
  ),
  'whose shard lies outside': bad(
    model(({ weightsManifest }) => {
      weightsManifest[0]!.paths = ['../model/weights.bin'];
    }),
    'model weights path "../model/weights.bin": expected a path inside the model\'s folder',
  ),
  'with NaN for a weight': bad(
    model(keep, (values) => values.with(7, Number.NaN)),
    'model weight "hidden/kernel": expected finite numbers, received NaN',
    NON_FINITE,
  ),
  'whose scores overflow': bad(
    model(keep, (values) => values.fill(3e38).with(BODY_WEIGHTS, -3e38)),
    'model scores: expected finite numbers, received NaN',
    NON_FINITE,
  ),
});

testBadInputs('a model, by its topology,', {
  'that is a graph model': bad(
    model((json) => {
      json.format = 'graph-model';
    }),
    'model format: expected "layers-model", received "graph-model", which is frozen and cannot be tuned',
    UNSUPPORTED,
  ),
  'with an unknown layer': bad(
    model((json) => {
      layer(json, 1).class_name = 'Frobnicate';
    }),
    'model layer class "Frobnicate": expected a class of tfjs-layers',
    UNSUPPORTED,
  ),
  'with a weight of no layer': bad(
    model(({ weightsManifest }) => {
      weightsManifest[0]!.weights[2]!.name = 'other/kernel';
    }),
    'model topology and weights do not fit together: Provided weight data has no target variable: other/kernel',
    UNSUPPORTED,
  ),
  'of three classes': bad(
    model(
      (json) => {
        layer(json, 2).config.units = 3;
        const [, , kernel, bias] = json.weightsManifest[0]!.weights;
        [kernel!.shape, bias!.shape] = [[2, 3], [3]];
      },
      (values) => Float32Array.of(...values, 0, 0, 0, 0, 0, 0),
    ),
    'head "head": expected the positive class among its 3 units, from 0 to 2 (--positive-class, positiveClass in a job), received none',
  ),
  'of one unit, with a positive class': {
    line: `${AUDIT} --positive-class 1`,
    says: 'head "head": expected no positive class for its one unit, which makes the score of the positive label, received 1',
  },
  'whose positive class is no index': {
    line: `${AUDIT} --positive-class melanoma`,
    says: '--positive-class: expected a whole number from 0, the index of a unit, received "melanoma"',
  },
  'whose head is another layer': {
    line: `${AUDIT} --head hidden`,
    says: 'head "hidden": expected the last Dense layer before the output, which is where the walk back met layer "head" (Dense)',
    exit: UNSUPPORTED,
  },
});
