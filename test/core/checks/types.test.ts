import { describe, expect, it } from 'vitest';
import { summarize } from '../../../core/checks/types.ts';

const finding = (code: string, severity: 'care' | 'unfit') => ({ code, severity, reason: '', repair: '' });

describe('summarize', () => {
  it('calls data without a finding fit', () => {
    expect(summarize([])).toEqual({ verdict: 'fit', findings: [] });
  });

  it('lets the worst severity decide, and puts it first', () => {
    const [a, b, c] = [finding('a', 'care'), finding('b', 'unfit'), finding('c', 'care')];
    expect(summarize([a, c]).verdict).toBe('usable with care');
    expect(summarize([a, b, c])).toEqual({ verdict: 'unfit', findings: [b, a, c] });
  });
});
