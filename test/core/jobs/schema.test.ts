import { describe, expect, it } from 'vitest';
import { jobRequestSchema } from '../../../core/jobs/schema.ts';
import { AUDIT, MITIGATION, MODEL_AUDIT } from './fixtures.ts';

const pathsOf = (request: unknown) =>
  jobRequestSchema.safeParse(request).error?.issues.map(({ path }) => path.join('.'));

describe('jobRequestSchema', () => {
  it('fills in what may be left out', () => {
    expect(MITIGATION).toMatchObject({ threshold: 0.5, preset: 'robust', seed: 0, shards: 1 });
  });

  it.each([AUDIT, MODEL_AUDIT, MITIGATION])('leaves a parsed request of kind $kind as it is', (request) => {
    expect(jobRequestSchema.parse(request)).toEqual(request);
  });

  it.each([
    ['another prefix', 'results/x/y.csv'],
    ['a way out', 'uploads/../jobs/x'],
    ['a backslash', 'uploads\\x'],
    ['nothing', ''],
    ['too long a key', `uploads/${'x/'.repeat(600)}x`],
    ['an empty segment', 'uploads//x.csv'],
    ['half a surrogate pair', 'uploads/\ud800.csv'],
    ['a folder', 'uploads/x/'],
  ])('refuses %s as the place of a table', (_, predictions) => {
    expect(pathsOf({ ...AUDIT, predictions })).toContain('predictions');
  });

  it.each([
    ['model', 'uploads/'],
    ['model', 'uploads'],
    ['model', 'uploads/x//'],
    ['model', 'uploads/net.onnx'],
    ['manifest', 'uploads/labels.csv'],
  ] as const)('refuses a %s at %j, since what it names may be all that lies in the folder', (field, key) => {
    expect(pathsOf({ ...MITIGATION, [field]: key })).toContain(field);
  });

  it.each(['uploads/x', 'uploads/x/', 'uploads/x/net.onnx', 'uploads/x/model.json', 'uploads/net.onnx/'])(
    'takes a model at %s',
    (model) => {
      expect(pathsOf({ ...MITIGATION, model })).toBeUndefined();
    },
  );

  it('refuses a pickle by what to do instead', () => {
    const { error } = jobRequestSchema.safeParse({ ...MITIGATION, model: 'uploads/x/net.PT' });
    expect(error?.issues).toMatchObject([
      {
        path: ['model'],
        message: expect.stringMatching(/^is refused: a pickle runs code.*torch\.onnx\.export/),
      },
    ]);
  });

  it.each([-1, 1.5, 1e9, '1'])('refuses the positive class %j', (positiveClass) => {
    expect(pathsOf({ ...MODEL_AUDIT, positiveClass })).toEqual(['positiveClass']);
  });

  it.each([0, 1, -1, Number.NaN, '0.5'])('refuses the threshold %j', (threshold) => {
    expect(pathsOf({ ...AUDIT, threshold })).toEqual(['threshold']);
  });

  it('takes controls as a yes or no', () => {
    expect(pathsOf({ ...MITIGATION, controls: true })).toBeUndefined();
    expect(pathsOf({ ...MITIGATION, controls: 1 })).toEqual(['controls']);
  });

  it('takes explain, and no way to ask for pictures of the data', () => {
    expect(pathsOf({ ...MITIGATION, explain: true })).toBeUndefined();
    expect(pathsOf({ ...MITIGATION, explain: 'yes' })).toEqual(['explain']);
    expect(pathsOf({ ...MITIGATION, explain: true, showImages: true })).toEqual(['']);
  });

  it.each([0, 101, 1.5])('refuses %j shards', (shards) => {
    expect(pathsOf({ ...MITIGATION, shards })).toEqual(['shards']);
  });

  it('refuses unknown keys and kinds', () => {
    expect(pathsOf({ ...AUDIT, bucket: 'b' })).toEqual(['']);
    expect(pathsOf({ ...AUDIT, kind: 'train' })).toEqual(['kind']);
  });
});
