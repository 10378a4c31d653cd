import { forestChart, forestTicks } from '../../../core/report/charts/forest.ts';
import { CHART_STYLE } from '../../../core/report/page/style.ts';
import { render } from '../../../core/report/text/html.ts';
import type { ScenarioSummary } from './summary.ts';
import { differenceText } from './tables.ts';

/** Differences of the disparity from the untouched model, a method a row, as an SVG file. */
export function differencePlot({ title, rows }: Pick<ScenarioSummary, 'title' | 'rows'>): string {
  const drawn = rows.flatMap(({ method, differences }) => {
    if (differences === null) return [];
    const { disparity } = differences;
    return [{ ...disparity, name: method, figures: differenceText(disparity) }];
  });
  const chart = render(
    forestChart({
      id: 'methods',
      title: `${title}: difference of the disparity from the untouched model`,
      rows: drawn,
      ticks: forestTicks(drawn),
    }),
  );
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(chart)!;
  const opening = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"`;
  return `${chart.replace('<svg', opening).replace('</svg>', `${render(CHART_STYLE)}</svg>`)}\n`;
}
