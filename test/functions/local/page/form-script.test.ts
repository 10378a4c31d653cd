import { describe, expect, it } from 'vitest';
import { jobRequestSchema, mitigationSchema } from '../../../../core/jobs/schema.ts';
import { FORM_SCRIPT } from '../../../../functions/local/page/form-script.ts';
import { makePageWorld } from './page-world.ts';

const call = makePageWorld(FORM_SCRIPT);
const requestOf = (fields: object) => call(`requestOf(${JSON.stringify(fields)})`);

describe('a request made of the form', () => {
  it('holds what was filled in and nothing else, and is one that the API takes', () => {
    const audit = requestOf({
      kind: 'audit',
      table: 'uploads/a/scores.csv',
      label: ' y ',
      groups: 'sex,  age_band,',
      answer: 'score',
      answered: 'p',
      threshold: '0,4',
      split: '',
    });
    expect(audit).toEqual({
      kind: 'audit',
      predictions: 'uploads/a/scores.csv',
      columns: { label: 'y', sensitiveFeatures: ['sex', 'age_band'], score: 'p' },
      threshold: 0.4,
    });
    expect(jobRequestSchema.safeParse(audit).success).toBe(true);
  });

  it('for a mitigation names model, manifest and parts', () => {
    const mitigation = requestOf({
      kind: 'mitigation',
      table: 'uploads/a/labels.csv',
      model: 'uploads/a/model/',
      label: 'y',
      positive: 'malignant',
      groups: 'sex',
      image: 'file',
      subject: 'patient',
      split: 'part',
      external: 'tune',
      preprocess: 'unit',
      preset: 'bmft-released',
      positiveClass: '3',
      seed: '7',
      metric: 'equalOpportunity',
    });
    expect(mitigation).toEqual({
      kind: 'mitigation',
      manifest: 'uploads/a/labels.csv',
      model: 'uploads/a/model/',
      columns: {
        label: 'y',
        positiveLabel: 'malignant',
        sensitiveFeatures: ['sex'],
        image: 'file',
        subject: 'patient',
        split: 'part',
      },
      splits: { external: 'tune' },
      preprocess: 'unit',
      preset: 'bmft-released',
      positiveClass: 3,
      seed: 7,
      metric: 'equalOpportunity',
    });
    expect(jobRequestSchema.safeParse(mitigation).success).toBe(true);
  });
});

describe('choices of the form', () => {
  it('have names in which long ids are short', () => {
    const id = '5c1f0a7be2d84f6f9a3b1c2d4e5f6071';
    expect(call(`shortName('uploads/${id}/a/scores.csv')`)).toBe('5c1f0a…/a/scores.csv');
    expect(call(`shortName('uploads/set/model/')`)).toBe('set/model');
  });
});

describe('the models that were just sent', () => {
  it('are files of one model each, and folders with a model.json', () => {
    const keys = ['u/a/model.json', 'u/a/w.bin', 'u/b/Net.ONNX', 'u/b/net.onnx.data', 'u/c.h5', 'u/d.json'];
    expect(call(`UPLOADED.models(${JSON.stringify(keys)})`)).toEqual(['u/a/', 'u/b/Net.ONNX', 'u/c.h5']);
  });
});

describe('a field with a number', () => {
  it.each([
    ['threshold', '0.5', true],
    ['threshold', '0,25', true],
    ['threshold', '.9', true],
    ['threshold', 'abc', false],
    ['threshold', '0', false],
    ['threshold', '1', false],
    ['threshold', '-0.5', false],
    ['seed', '0', true],
    ['seed', '2147483647', true],
    ['seed', '2147483648', false],
    ['seed', '1.5', false],
    ['seed', '-1', false],
    ['seed', 'x', false],
    ['positiveClass', '0', true],
    ['positiveClass', '999999999', true],
    ['positiveClass', '1000000000', false],
    ['positiveClass', '-1', false],
  ])('%s "%s" is right: %s, as the API says', (name, text, isRight) => {
    expect(call(`CHECKS.${name}.isRight(${JSON.stringify(text)})`)).toBe(isRight);
    const { threshold, seed, positiveClass } = mitigationSchema.shape;
    const field = { threshold, seed, positiveClass }[name]!;
    expect(field.safeParse(Number(text.replace(',', '.'))).success).toBe(isRight);
  });
});
