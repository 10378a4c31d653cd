import { describe, expect, it } from 'vitest';
import { dumbbellChart, dumbbellScale } from '../../../../core/report/charts/dumbbell.ts';
import { render } from '../../../../core/report/text/html.ts';
import { textOf } from '../../../helpers/report-samples.ts';

function chart(rows: Parameters<typeof dumbbellChart>[0]['rows'], isComparison = true): string {
  return render(dumbbellChart({ id: 'd', title: 'TPR', rows, isComparison }));
}

describe('dumbbellChart', () => {
  it('maps rates onto the track from 12 to 348', () => {
    expect([0, 0.25, 1].map(dumbbellScale)).toEqual([12, 12 + 336 / 4, 348]);
  });

  it('draws before as a hollow square, after as a circle and a line between', () => {
    const markup = chart([{ group: 'F', support: '80 positives', before: 0.25, after: 0.75 }]);
    const y = 28 + 27; // first row: below the legend, 27 into the row
    expect(markup).toContain(`<line class="move" x1="96" x2="264" y1="${y}" y2="${y}"/>`);
    expect(markup).toContain(`<rect class="before hollow" x="${96 - 6}" y="${y - 6}"`);
    expect(markup).toContain(`<circle class="after" cx="264" cy="${y}"`);
    expect(textOf(markup)).toContain('F , 80 positives 0.250 → 0.750');
  });

  it('keeps the row of a group without the rate, with an empty track and no mark', () => {
    const markup = chart([{ group: 'F', support: '0 positives', before: null, after: null }]);
    expect(markup).toContain('class="track empty"');
    expect(markup.match(/class="after"/g)).toHaveLength(1); // the legend's
    expect(textOf(markup)).toContain('not defined');
    expect(textOf(markup)).not.toContain('0.000');
  });

  it('draws no line where one of the two is missing', () => {
    const markup = chart([{ group: 'F', support: '2 positives', before: null, after: 0.5 }]);
    expect(markup).not.toContain('class="move"');
    expect(textOf(markup)).toContain('not defined → 0.500');
  });

  it('has neither legend nor square for an audit alone', () => {
    const markup = chart([{ group: 'F', support: '2 positives', before: 0.5 }], false);
    expect(markup).not.toContain('before');
    expect(markup).toContain(`<circle class="after" cx="180" cy="${4 + 27}"`);
  });

  it('grows by 40 pixels a group, for 20 groups as for two', () => {
    const rows = Array.from({ length: 20 }, (_, index) => ({
      group: `${index}`,
      support: '1 positive',
      before: 1,
    }));
    expect(chart(rows, false)).toContain(`viewBox="0 0 360 ${4 + 20 * 40 + 22}"`);
  });
});
