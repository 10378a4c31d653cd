import { describe, expect, it } from 'vitest';
import { type Line, lineChart } from '../../../../core/report/charts/lines.ts';
import { render } from '../../../../core/report/text/html.ts';
import { textOf } from '../../../helpers/report-samples.ts';

function line(values: readonly number[], overrides: Partial<Line> = {}): Line {
  const points = values.map((y, index) => ({ x: index, y }));
  return { name: 'task loss', shortName: 'task', className: 'task', shape: 'circle', points, ...overrides };
}

function chart(lines: readonly Line[]): string {
  return render(lineChart({ id: 'l', title: 'Losses', xLabel: 'epoch', yLabel: 'loss', lines }));
}

describe('lineChart', () => {
  it('maps steps onto 46 to 286 and losses from 0 onto 206 to 48', () => {
    expect(chart([line([1, 0.5, 0])])).toContain('points="46,48 166,127 286,206"');
  });

  it('names every line in the legend and at its end', () => {
    const text = textOf(
      chart([line([1, 1]), line([0, 0], { name: 'disparity loss', shortName: 'disparity' })]),
    );
    expect(text).toMatch(/task loss .*disparity loss .*task disparity$/);
  });

  it('keeps the names at the ends apart where lines meet', () => {
    const ends = [...chart([line([1, 0.5]), line([1, 0.5])]).matchAll(/ink-task" x="[\d.]+" y="([\d.]+)"/g)];
    expect(Number(ends[1]![1]) - Number(ends[0]![1])).toBe(13);
  });

  it('draws one step as a mark', () => {
    expect(chart([line([0.5])])).toContain('class="dot task"');
  });

  it('marks every step of a short line and the last step of a long one', () => {
    expect(chart([line(Array(24).fill(1))]).match(/dot task/g)).toHaveLength(1 + 24);
    expect(chart([line(Array(25).fill(1))]).match(/dot task/g)).toHaveLength(1 + 1);
  });
});
