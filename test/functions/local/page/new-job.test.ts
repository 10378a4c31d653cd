import { describe, expect, it } from 'vitest';
import { METRIC_NAMES, PRESET_NAMES } from '../../../../core/jobs/schema.ts';
import { UPLOAD_TYPES } from '../../../../core/jobs/uploads.ts';
import { NEW_JOB } from '../../../../functions/local/page/new-job.ts';

const optionsOf = (name: string) => {
  const [, list = ''] = new RegExp(`<select id="${name}"[^>]*>(.*?)</select>`).exec(NEW_JOB) ?? [];
  return [...list.matchAll(/value="([^"]*)"/g)].map(([, value]) => value!);
};

describe('the form of a new job', () => {
  it('has a label for each field', () => {
    const fields = [...NEW_JOB.matchAll(/<(?:input|select|textarea)\b[^>]* id="([^"]+)"/g)].map(
      ([, id]) => id!,
    );
    const labels = [...NEW_JOB.matchAll(/<label for="([^"]+)">/g)].map(([, id]) => id!);
    expect(fields.length).toBeGreaterThan(15);
    expect(labels.toSorted()).toEqual(fields.toSorted());
  });

  it('offers what the API takes', () => {
    expect(optionsOf('kind')).toEqual(['audit', 'model-audit', 'mitigation']);
    expect(optionsOf('metric').filter(Boolean).toSorted()).toEqual(METRIC_NAMES.toSorted());
    expect(optionsOf('preprocess')).toEqual(['', 'imagenet', 'unit', 'none']);
    expect(optionsOf('preset')).toEqual(PRESET_NAMES);
    const [, endings = ''] = /accept="([^"]+)"/.exec(NEW_JOB)!;
    expect(endings.split(',').toSorted()).toEqual(
      Object.keys(UPLOAD_TYPES)
        .map((name) => `.${name}`)
        .toSorted(),
    );
  });

  it('begins with no table and no model, so that none is audited that nobody chose', () => {
    expect(optionsOf('table')).toEqual(['']);
    expect(optionsOf('model')).toEqual(['']);
  });
});
