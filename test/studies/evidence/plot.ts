import { forestChart, forestTicks } from '../../../core/report/charts/forest.ts';
import { CHART_STYLE } from '../../../core/report/page/style.ts';
import { render } from '../../../core/report/text/html.ts';
import type { MethodRow } from './summary.ts';
import { signed } from './tables.ts';

/** Differences of the disparity from the untouched model, a method a row, as an SVG file. */
export function differencePlot(title: string, rows: readonly MethodRow[]): string {
  const drawn = rows.flatMap(({ method, disparity }) => {
    if (disparity === null) return [];
    const { value, low, high } = disparity;
    const figures = `${signed(value)} (${signed(low)} to ${signed(high)})`;
    return [{ name: method, figures, value, interval: { low, high } }];
  });
  const chart = render(forestChart({ id: 'methods', title, rows: drawn, ticks: forestTicks(drawn) }));
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(chart)!;
  const opening = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"`;
  return `${chart.replace('<svg', opening).replace('>', `>${render(CHART_STYLE)}`)}\n`;
}
