import type { Drift, DriftSeries } from '../../fairness/drift/drift.ts';
import { curveChart } from '../charts/curves.ts';
import { extent, niceTicks, type Ticks } from '../charts/scale.ts';
import type { Language } from '../language/language.ts';
import { disclosure, figure, paragraph, type Section } from '../page/layout.ts';
import { type Column, numberCell, row, table, textCell } from '../page/table.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml, visibleName } from '../text/names.ts';

const DAYS = 30;

/** How gaps and quality moved over the audits of one subject. */
export function driftSection({ audits, series }: Drift, language: Language): Section {
  const { drift: words } = language.t;
  const panels = series.flatMap((each, index) => panelOf(each, index, language));
  return {
    id: 'drift',
    title: words.title,
    body: html`${paragraph(words.lead(audits))}
${panels.length === 0 ? NOTHING : figure(panels, words.gaps)}
${trendTable(series, language)}
${disclosure(
  words.points,
  byFeature(series).map((each) => pointsTable(each, language)),
)}`,
  };
}

function byFeature(series: readonly DriftSeries[]): DriftSeries[][] {
  const features = [...new Set(series.map(({ sensitiveFeature }) => sensitiveFeature))];
  return features.map((feature) => series.filter(({ sensitiveFeature }) => sensitiveFeature === feature));
}

function heading({ metric, sensitiveFeature }: DriftSeries, language: Language): Html {
  const { t } = language;
  const label = t.metric(metric);
  return sensitiveFeature === null ? html`${label}` : t.by(label, nameHtml(sensitiveFeature, language));
}

function panelOf(series: DriftSeries, index: number, language: Language): Html[] {
  const { t, rate, day } = language;
  const values = series.points.flatMap(({ value }) => (value === null ? [] : [value]));
  if (values.length < 2) return [];
  const label = t.metric(series.metric);
  const feature =
    series.sensitiveFeature === null ? '' : ` (${visibleName(series.sensitiveFeature, language)})`;
  const picture = curveChart({
    id: `drift-${index + 1}`,
    title: t.drift.picture(`${label}${feature}`),
    description: series.points.map(({ time, value }) => `${day(new Date(time))}: ${rate(value)}. `).join(''),
    xLabel: t.drift.time,
    yLabel: label,
    xTicks: timeTicks(series, language),
    yTicks: niceTicks(extent([0, ...values]), { atMost: 4 }),
    height: 130,
    hasDots: true,
    curves: [
      {
        name: `${label}${feature}`,
        points: series.points.map(({ time, value }) =>
          value === null ? null : { x: Date.parse(time), y: value },
        ),
      },
    ],
  });
  return [html`<div class="panel"><p class="panel-title">${heading(series, language)}</p>${picture}</div>`];
}

/** First and last day. */
function timeTicks({ points }: DriftSeries, { day }: Language): Ticks {
  const times = [points[0]!, points.at(-1)!].map(({ time }) => Date.parse(time));
  return { values: times, decimals: 0, label: (value) => day(new Date(value)) };
}

function trendTable(series: readonly DriftSeries[], language: Language): Html {
  const { t, rate, signed, day } = language;
  const columns: Column[] = [
    { title: t.drift.metric },
    { title: t.drift.last, isNumeric: true },
    { title: t.drift.trend },
    { title: t.drift.changes },
  ];
  const rows = series.map((each) => {
    const { points, trend, changes } = each;
    const trendText =
      trend === null
        ? t.drift.noTrend
        : t.drift.perMonth(signed(trend.slopePerDay * DAYS), rate(trend.pValue));
    const lines = changes.map(({ time, before, after }) =>
      t.drift.change(day(new Date(time)), rate(before), rate(after)),
    );
    return row(heading(each, language), [
      numberCell(rate(points.at(-1)?.value ?? null)),
      textCell(trendText),
      textCell(lines.length === 0 ? t.drift.noChange : html`${lines.map((line) => html`${line}<br>`)}`),
    ]);
  });
  return table({ caption: t.drift.caption, columns, rows });
}

/** Of one feature, or of all samples. */
function pointsTable(series: readonly DriftSeries[], language: Language): Html {
  const { t, rate, minute } = language;
  const { sensitiveFeature } = series[0]!;
  const times = [...new Set(series.flatMap(({ points }) => points.map(({ time }) => time)))].sort();
  const columns: Column[] = [
    { title: t.drift.time },
    ...series.map(({ metric }) => ({ title: t.metric(metric), isNumeric: true })),
  ];
  const rows = times.map((time) =>
    row(
      minute(new Date(time)),
      series.map(({ points }) =>
        numberCell(rate(points.find((point) => point.time === time)?.value ?? null)),
      ),
    ),
  );
  const caption = sensitiveFeature === null ? t.drift.points : t.drift.pointsBy(sensitiveFeature);
  return table({ caption, columns, rows });
}
