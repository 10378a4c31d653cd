import { describe, expect, it } from 'vitest';
import { type Curve, curveChart } from '../../../../core/report/charts/curves.ts';
import { render } from '../../../../core/report/text/html.ts';

const TICKS = { values: [0, 1], decimals: 0 };

function chart(curves: readonly Curve[], more: object = {}): string {
  const words = { id: 'c', title: 'T', description: 'D', xLabel: 'x', yLabel: 'y' };
  return render(curveChart({ ...words, xTicks: TICKS, yTicks: TICKS, curves, ...more }));
}

const RISING = [
  { x: 0, y: 0 },
  { x: 1, y: 1 },
];

describe('curveChart', () => {
  it('maps the unit square onto 46 to 340 and, under one row of names, 342 to 48', () => {
    const markup = chart([
      { name: 'F', points: RISING },
      { name: 'M', points: [{ x: 0.5, y: 0.5 }] },
    ]);
    expect(markup).toContain('class="curve curve-1" points="46,342 340,48"');
    expect(markup).toContain('class="dot dot-2" cx="193" cy="195" r="3"'); // a point alone is a dot
    expect(markup).toMatch(/>F<\/text>.*>M<\/text>/s);
  });

  it('names no curve that is alone, and breaks it where a value is missing', () => {
    const markup = chart([{ name: 'F', points: [...RISING, null, { x: 1, y: 0 }, { x: 1, y: 1 }] }]);
    expect(markup).not.toContain('>F</text>');
    expect(markup.match(/<polyline/g)).toHaveLength(2);
  });

  it('draws the diagonal, dots and marks that are asked for', () => {
    const markup = chart([{ name: 'F', points: RISING, mark: { x: 0, y: 0 } }], {
      hasDiagonal: true,
      hasDots: true,
      height: 100,
    });
    expect(markup).toContain('class="diagonal" x1="46" y1="130" x2="340" y2="30"');
    expect(markup.match(/<circle/g)).toHaveLength(3);
  });
});
