import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { jobRequestSchema } from '../../../../core/jobs/schema.ts';
import { FORM_SCRIPT } from '../../../../functions/local/page/form-script.ts';

/** The script up to where it touches the page, in a world without one. */
const context = createContext({
  FormData: class {
    readonly fields: Readonly<Record<string, string>>;
    constructor(fields: Readonly<Record<string, string>>) {
      this.fields = fields;
    }
    get(name: string) {
      return this.fields[name] ?? null;
    }
  },
  byId: () => ({ addEventListener() {}, disabled: false }),
  document: { querySelectorAll: () => [] },
});
context.byId = () => ({ addEventListener() {}, value: 'audit', textContent: '' });
runInContext(FORM_SCRIPT, context);

/** As JSON, since objects of another world have other prototypes. */
const call = (code: string) => JSON.parse(runInContext(`JSON.stringify(${code})`, context) as string);
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
      metric: 'equalOpportunity',
    });
    expect(jobRequestSchema.safeParse(mitigation).success).toBe(true);
  });
});

describe('files to send', () => {
  it.each([
    ['scores.csv', 5, true],
    ['set/Images/1.JPG', 5, true],
    ['set/model/model.json', 5, true],
    ['set/notes.txt', 5, false],
    ['set/.git/x.json', 5, false],
    ['.DS_Store', 5, false],
    ['empty.csv', 0, false],
  ])('%s of %i bytes: %s', (webkitRelativePath, size, isTaken) => {
    expect(call(`isTaken(${JSON.stringify({ webkitRelativePath, size })})`)).toBe(isTaken);
  });

  it.each([
    ['set/counterweight.json', true],
    ['counterweight.json', true],
    ['set/audit.job.json', true],
    ['set/my-counterweight.json', false],
    ['set/model.json', false],
  ])('%s starts a job, so it goes last: %s', (name, starts) => {
    expect(call(`STARTS.test(${JSON.stringify(name)})`)).toBe(starts);
  });

  it('have names in which long ids are short', () => {
    const id = '5c1f0a7be2d84f6f9a3b1c2d4e5f6071';
    expect(call(`shortName('uploads/${id}/a/scores.csv')`)).toBe('5c1f0a…/a/scores.csv');
    expect(call(`shortName('uploads/set/model/')`)).toBe('set/model');
  });
});
