import { describe, expect, it } from 'vitest';
import { byTargets, targetNames } from '../../../../core/report/facts/targets.ts';
import { render } from '../../../../core/report/text/html.ts';

const FEATURES = ['sex', 'age', 'sex × age'].map((sensitiveFeature) => ({
  sensitiveFeature,
  before: 0.2,
  after: 0.1,
}));
const several = { sensitiveFeature: 'age', features: FEATURES };

describe('targetNames', () => {
  it('is the one feature, or each of several', () => {
    expect(targetNames({ sensitiveFeature: 'sex' })).toEqual(['sex']);
    expect(targetNames(several)).toEqual(['sex', 'age', 'sex × age']);
  });
});

describe('byTargets', () => {
  it('names what the figure is by, and escapes it', () => {
    expect(render(byTargets({ sensitiveFeature: 'a<b' }))).toContain('a&lt;b');
    const text = render(byTargets(several)).replace(/<[^>]*>/g, '');
    expect(text).toBe('(the largest of those by sex, age and sex × age)');
  });
});
