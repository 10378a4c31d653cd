import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ImageSpec, Preprocess } from '../../core/data/preprocess.ts';
import { completePreprocess, parsePreprocess, resolvePreprocess } from '../../core/data/preprocess.ts';
import type { RunRecord } from '../../core/jobs/run-record.ts';
import type { Classifier, Parameter } from '../../core/model/classifier.ts';
import { PRESETS } from '../../worker/bmft/options.ts';
import type { MitigationResult } from '../../worker/run-job.ts';
import { type SaveRunInput, saveRun } from '../../worker/save-run.ts';
import { useTempFolder } from '../helpers/files.ts';
import { HARD_MASK, IMPROVED_RUN, TWO_GROUPS_AFTER, TWO_GROUPS_BEFORE } from '../helpers/report-samples.ts';

const folder = useTempFolder();

const parameter = (name: string, shape: number[]) =>
  ({ name, shape, variable: { size: shape.reduce((size, side) => size * side, 1) } }) as unknown as Parameter;
const WEIGHTS = { 'conv/kernel': [3, 2], 'head/kernel': [2, 1] } as const;
const values = new Map(
  Object.entries(WEIGHTS).map(([name, [rows, columns]]) => [name, new Float32Array(rows * columns).fill(1)]),
);

/** A model of one body weight and a head without bias, whose file is one line. */
async function modelIn(place: string, save = defaultSave): Promise<Classifier> {
  const source = await folder.write(`${place}/classifier/model.json`, '{}');
  return {
    format: 'tfjs-layers',
    sources: [source],
    inputShape: [2, 2, 3],
    body: [parameter('conv/kernel', [3, 2])],
    head: { name: 'head', kernel: parameter('head/kernel', [2, 1]), bias: null },
    save,
  } as unknown as Classifier;
}

async function defaultSave(target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  await writeFile(path.join(target, 'model.json'), '{}');
}

const { outcome, data, threshold, curves, candidates } = IMPROVED_RUN;
const RESULT: MitigationResult = {
  outcome,
  data,
  threshold,
  curves,
  candidates,
  before: TWO_GROUPS_BEFORE,
  after: TWO_GROUPS_AFTER,
  mask: { found: { values, notes: new Map() }, summary: HARD_MASK },
  splits: IMPROVED_RUN.splits,
  audited: [{ ...IMPROVED_RUN.audited[0]!, before: TWO_GROUPS_BEFORE, after: TWO_GROUPS_AFTER, flips: null }],
};
const IMAGE_SPEC = resolvePreprocess(
  parsePreprocess({ scale: 1, mean: 0, std: 1 }, 'spec'),
  [2, 2, 3],
) as ImageSpec;

interface Changes extends Partial<SaveRunInput> {
  readonly model?: Classifier;
  readonly preprocess?: Preprocess;
  readonly preprocessFile?: string;
}

async function inputIn(
  place: string,
  { model, preprocess, preprocessFile, ...changes }: Changes = {},
): Promise<SaveRunInput> {
  return {
    folder: folder.at(`${place}/run`),
    manifest: await folder.write('data/labels.csv', 'a'),
    loaded: {
      model: model ?? (await modelIn(place)),
      spec: IMAGE_SPEC,
      preprocess: preprocess ?? parsePreprocess({ scale: 1, mean: 0, std: 1 }, 'given'),
      manifest: { input: { kind: 'table', columns: [], values: new Float64Array() } },
      inputs: {},
      preprocessFile: preprocessFile ?? null,
    } as unknown as SaveRunInput['loaded'],
    options: PRESETS.robust,
    preset: 'robust',
    seed: 3,
    backend: { name: 'wasm', version: '4.22.0', detail: 'SIMD, 1 thread' },
    result: RESULT,
    ...changes,
  };
}

describe('saveRun', () => {
  it('returns what run.json holds, the outputs with it', async () => {
    const record = await saveRun(await inputIn('full'));
    const written = JSON.parse(await readFile(folder.at('full/run/run.json'), 'utf8')) as RunRecord;
    expect(written).toEqual(record);
    expect(written).toMatchObject({
      seed: 3,
      preset: 'robust',
      options: PRESETS.robust,
      environment: { backend: 'wasm', backendVersion: '4.22.0', backendDetail: 'SIMD, 1 thread' },
      model: { name: 'classifier', bodyWeights: 3 * 2, headWeights: 2 },
      mask: HARD_MASK,
    });
    expect(written.outputs.map(({ name }) => name)).toEqual([
      'audit-after.json',
      'audit-before.json',
      'decision.json',
      'mask.safetensors',
      'model/model.json',
      'model/preprocess.json',
      'report.html',
    ]);
  });

  it('numbers the audits of further sets, and lists them by name', async () => {
    const further = { ...RESULT.audited[0]!, name: '../clinic', source: 'manifest' as const, after: null };
    const result = { ...RESULT, audited: [...RESULT.audited, further] };
    const { audited, outputs } = await saveRun(await inputIn('sets', { result }));
    expect(audited.map(({ name, before, after }) => [name, before, after])).toEqual([
      ['test', 'audit-before.json', 'audit-after.json'],
      ['../clinic', 'audit-before-2.json', null],
    ]);
    expect(outputs.map(({ name }) => name)).toContain('audit-before-2.json');
  });

  it('saves no model unless the outcome is an improvement', async () => {
    const result = { ...RESULT, outcome: { ...outcome, status: 'not-improved' as const } };
    await saveRun(await inputIn('worse', { result }));
    expect(await readdir(folder.at('worse/run'))).not.toContain('model');
  });

  it('writes neither mask nor audit after where there was none', async () => {
    const result = {
      ...RESULT,
      outcome: { ...outcome, status: 'rejected' as const },
      mask: null,
      after: null,
      audited: [{ ...RESULT.audited[0]!, after: null }],
    };
    const { mask } = await saveRun(await inputIn('rejected', { result }));
    expect(mask).toBeNull();
    expect(await readdir(folder.at('rejected/run'))).toEqual([
      'audit-before.json',
      'decision.json',
      'report.html',
      'run.json',
    ]);
  });

  it('names its inputs without their folders', async () => {
    const [manifest, config, preprocessFile] = [
      await folder.write('inputs/labels.csv', 'a'),
      await folder.write('inputs/columns.json', 'b'),
      await folder.write('inputs/preprocess.json', 'c'),
    ];
    const { inputs } = await saveRun(await inputIn('inputs', { manifest, config, preprocessFile }));
    expect(inputs.map(({ name }) => name)).toEqual([
      'model.json',
      'preprocess.json',
      'labels.csv',
      'columns.json',
    ]);
  });

  it('leaves nothing behind when the model cannot be saved', async () => {
    const cause = new Error('disk full');
    const model = await modelIn('broken', () => Promise.reject(cause));
    await expect(saveRun(await inputIn('broken', { model }))).rejects.toMatchObject({
      code: 'STORAGE',
      cause,
    });
    expect(await readdir(folder.at('broken'))).toEqual(['classifier']);
  });

  it('refuses a folder that exists', async () => {
    await folder.write('taken/run/run.json', 'mine');
    await expect(saveRun(await inputIn('taken'))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(await readFile(folder.at('taken/run/run.json'), 'utf8')).toBe('mine');
  });
});

describe('the preprocess beside a saved model', () => {
  it.each([
    [
      'images',
      { scale: 2, mean: [1, 2, 3], std: 4, channels: 'BGR', resize: 'cover', output: 'logit' },
      [2, 2, 3],
    ],
    ['channels first', { scale: 1, mean: 0, std: 1, layout: 'NCHW' }, [3, 2, 2]],
    [
      'features',
      {
        features: [
          { column: 'a', std: 2 },
          { column: 'b', categories: ['x', 'y'] },
        ],
      },
      [3],
    ],
  ])('means the same as the one of %s that was used', async (kind, preprocess, inputShape) => {
    const place = `preprocess-${kind.replace(' ', '-')}`;
    const given = parsePreprocess(preprocess, 'given');
    const spec = resolvePreprocess(given, inputShape);
    await saveRun(await inputIn(place, { preprocess: completePreprocess(given, spec) }));
    const saved: unknown = JSON.parse(
      await readFile(folder.at(`${place}/run/model/preprocess.json`), 'utf8'),
    );
    expect(resolvePreprocess(parsePreprocess(saved, 'saved'), inputShape)).toEqual(spec);
  });
});
