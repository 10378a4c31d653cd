import { describe, expect, it } from 'vitest';
import { LIMITED_METRICS } from '../../../../core/jobs/policy.ts';
import { PLAN_SCRIPT } from '../../../../functions/local/page/plan-script.ts';
import { makePageWorld } from './page-world.ts';

const call = makePageWorld(PLAN_SCRIPT);

describe('a scheduled audit', () => {
  it('says which limit is broken, by what, and what has no value', () => {
    const at = { sensitiveFeature: 'sex', max: 0.1 };
    const findings = [
      { ...at, metric: 'equalOpportunityDifference', value: 0.5, verdict: 'fail' },
      { ...at, metric: 'demographicParityDifference', value: 0.05, verdict: 'pass' },
      { ...at, metric: 'equalizedOddsDifference', value: null, verdict: 'inconclusive' },
    ];
    expect(call(`findingTexts(${JSON.stringify({ findings })})`)).toEqual([
      'Equal opportunity difference by sex: 0.5; limit: 0.1',
      'Equalised odds difference by sex: not defined, since a group lacks samples; limit: 0.1',
    ]);
  });

  it('has words for every limit that there can be', () => {
    expect(call<string[]>(`${JSON.stringify(LIMITED_METRICS)}.filter((name) => !DISPARITIES[name])`)).toEqual(
      [],
    );
  });

  it.each([
    [{ days: 1 }, 'every day'],
    [{ days: 7 }, 'every 7 days'],
    [{ hours: 1 }, 'every hour'],
    [{ hours: 6 }, 'every 6 hours'],
  ])('of %j is due %s', (every, text) => {
    expect(call(`everyText(${JSON.stringify(every)})`)).toBe(text);
  });
});
