import { describe, expect, it } from 'vitest';
import { type FrontierPoint, frontierChart } from '../../../../core/report/charts/frontier.ts';
import { render } from '../../../../core/report/text/html.ts';
import { textOf } from '../../../helpers/report-samples.ts';

function point(number: number, overrides: Partial<FrontierPoint> = {}): FrontierPoint {
  return { number, kind: 'bmft', auc: 0.7, disparity: 0.2, isFeasible: true, isChosen: false, ...overrides };
}

const POINTS = [
  point(1, { kind: 'original', auc: 0.6, disparity: 1 }),
  point(2, { auc: 0.8, disparity: 0.5, isChosen: true }),
  point(3, { kind: 'control', disparity: 0.75, isFeasible: false }),
];

function chart(points: readonly FrontierPoint[]): string {
  return render(frontierChart({ id: 'f', title: 'Frontier', yLabel: 'Disparity', points }));
}

describe('frontierChart', () => {
  it('maps AUC 0.55 … 0.85 onto 46 to 346 and disparity 0 … 1 onto 304 to 72', () => {
    const markup = chart(POINTS);
    const y = (disparity: number) => 304 - disparity * (304 - 72);
    expect(markup).toContain(`<circle class="ring" cx="${46 + 250}" cy="${y(0.5)}"`);
    expect(markup).toContain(`<rect class="point control hollow" x="${46 + 150 - 5}" y="${y(0.75) - 5}"`);
  });

  it('rings the chosen point only, and names it and the original', () => {
    const markup = chart(POINTS);
    expect(markup.match(/class="ring"/g)).toHaveLength(1 + 1); // the legend's and the chosen one
    expect(textOf(markup)).toMatch(/original \(1\).*chosen \(2\)/);
    expect(textOf(markup)).not.toContain('(3)');
  });

  it('rings nothing where nothing was chosen', () => {
    expect(chart([point(1)]).match(/class="ring"/g)).toHaveLength(1);
  });

  it('tells each point in its description', () => {
    expect(textOf(chart(POINTS))).toContain('3, control: disparity 0.750, AUC 0.700, guard rails broken.');
  });

  it('draws the chosen point last, so that none hides it', () => {
    const markup = chart([point(1, { isChosen: true }), point(2)]);
    expect(markup.lastIndexOf('<title>1, BMFT')).toBeGreaterThan(markup.lastIndexOf('<title>2, BMFT'));
  });

  it('crosses a point by its intervals, which the axes hold', () => {
    const intervals = { auc: { low: 0.6, high: 0.8 }, disparity: { low: 0, high: 1 } };
    const markup = chart([point(1, { kind: 'original', auc: 0.7, disparity: 0.5, intervals })]);
    // AUC 0.59 … 0.81 in ticks from 0.55 to 0.85, disparity 0 … 1
    const x = (auc: number) => 46 + ((auc - 0.55) / 0.3) * 300;
    const [, ...ends] = /class="interval" d="M([\d.]+),([\d.]+)H([\d.]+)M([\d.]+),([\d.]+)V([\d.]+)"/.exec(
      markup,
    )!;
    const expected = [x(0.6), 188, x(0.8), x(0.7), 304, 72];
    ends.forEach((end, place) => {
      expect(Number(end)).toBeCloseTo(expected[place]!, 1);
    });
  });

  it('makes drawn points smaller, and says so where there are any', () => {
    const markup = chart([point(1), point(2, { isDrawn: true })]);
    expect(markup.match(/class="point bmft" [^>]*r="3"/g)).toHaveLength(2); // the legend's and the point
    expect(textOf(markup)).toContain('drawn');
    expect(textOf(chart([point(1)]))).not.toContain('drawn');
  });
});
