import { describe, expect, it } from 'vitest';
import { forestChart, forestTicks } from '../../../../core/report/charts/forest.ts';
import { render } from '../../../../core/report/text/html.ts';

const ROWS = [
  { name: 'F', figures: '−0.150', value: -0.15, interval: { low: -0.3, high: 0 } },
  { name: 'X', figures: 'not defined', value: null, interval: null },
] as const;

describe('forestTicks', () => {
  it('reach as far to both sides as any end does', () => {
    expect(forestTicks(ROWS).values).toEqual([-0.4, -0.2, 0, 0.2, 0.4]);
    expect(forestTicks([ROWS[1]]).values.at(-1)).toBeGreaterThan(0);
  });
});

describe('forestChart', () => {
  const markup = render(forestChart({ id: 'f', title: 'TPR', rows: ROWS, ticks: forestTicks(ROWS) }));

  it('puts no difference in the middle, and value and interval on a scale of 26 to 334', () => {
    expect(markup).toContain('class="zero" x1="180" x2="180"');
    // 154 pixels for 0.4: 0.3 is 115.5 and 0.15 is 57.75
    expect(markup).toContain('d="M64.5,26v10m0,-5H180m0,-5v10"');
    expect(markup).toContain('x="118.25"'); // 180 − 57.75, less half of the mark of 8
  });

  it('keeps the row of a difference that is not defined', () => {
    expect(markup).toContain('track empty');
    expect(markup.match(/<rect/g)).toHaveLength(1);
    expect(markup).toContain('X: not defined. ');
  });
});
