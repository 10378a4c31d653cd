import { describe, expect, it } from 'vitest';
import { PLAN_SCRIPT } from '../../../../functions/local/page/plan-script.ts';
import { makePageWorld } from './page-world.ts';

const call = makePageWorld(PLAN_SCRIPT);

describe('a scheduled audit', () => {
  it('says which rules did not hold', () => {
    const findings = [
      { verdict: 'fail', text: 'gap 0.5, at most 0.1: broken' },
      { verdict: 'pass', text: 'gap 0.05, at most 0.1: kept' },
      { verdict: 'inconclusive', text: 'gap not defined' },
    ];
    expect(call(`findingTexts(${JSON.stringify({ findings })})`)).toEqual([
      'gap 0.5, at most 0.1: broken',
      'gap not defined',
    ]);
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
