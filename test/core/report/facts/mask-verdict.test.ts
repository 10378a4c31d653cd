import { describe, expect, test } from 'vitest';
import { effectOf, maskSentence } from '../../../../core/report/facts/mask-verdict.ts';

const difference = (value: number | null, low?: number, high?: number) => ({
  value,
  interval: low === undefined ? null : { low, high: high! },
});
const sentence = (disparity: ReturnType<typeof difference>, auc = difference(0, -0.01, 0.01)) =>
  maskSentence({ method: 'robust', control: 'random-mask', disparity, auc }, { level: 0.95 });

describe('whether a mask earned its keep', () => {
  test('is decided by an interval that leaves out zero', () => {
    expect(effectOf({ low: -0.2, high: -0.01 })).toBe('lower');
    expect(effectOf({ low: 0.01, high: 0.2 })).toBe('higher');
    expect(effectOf({ low: -0.2, high: 0 })).toBe('undecided');
    expect(effectOf(null)).toBe('undecided');
  });

  test('is said with the difference and its interval', () => {
    expect(sentence(difference(-0.1, -0.2, -0.01))).toBe(
      'robust: disparity 0.100 lower than with a random mask of the same size (95 % interval -0.200 to -0.010), so the mask earned its keep against it; no difference in AUC that these data can show (0.000, 95 % interval -0.010 to +0.010).',
    );
    expect(sentence(difference(0.1, 0.01, 0.2))).toContain('the mask made it worse');
    expect(sentence(difference(-0.05, -0.2, 0.1))).toContain(
      'no difference in disparity from a random mask of the same size that these data can show (-0.050, 95 % interval -0.200 to +0.100), so the mask has not earned its keep against it',
    );
  });

  test('is that both ended at one model where no draw differs, and no precise measurement of zero', () => {
    const same = difference(0, 0, 0);
    expect(sentence(same, same)).toBe(
      'robust: the same figures as with a random mask of the same size in every draw, because both kept the original model or chose the same one: the mask has not earned its keep against it.',
    );
    expect(sentence(same, difference(-0.03, -0.05, -0.01))).toContain('no difference in disparity');
  });

  test('names what it cost in AUC', () => {
    const gain = difference(-0.1, -0.2, -0.01);
    expect(sentence(gain, difference(-0.03, -0.05, -0.01))).toContain('AUC 0.030 lower (95 % interval');
    expect(sentence(gain, difference(0.03, 0.01, 0.05))).toContain('AUC 0.030 higher');
  });

  test('is not claimed where a figure or an interval is missing', () => {
    expect(sentence(difference(null))).toContain('the disparity is not defined');
    expect(sentence(difference(-0.3))).toContain('has not earned its keep');
    expect(sentence(difference(-0.3))).toContain('no interval');
    expect(sentence(difference(-0.1, -0.2, -0.1), difference(null))).toContain('the AUC is not defined');
  });
});
