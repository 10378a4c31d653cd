import type { AuditReport, FeatureAudit, GroupMetrics } from '../../fairness/types.ts';
import { type Curve, curveChart, MOST_CURVES } from '../charts/curves.ts';
import { niceTicks, type Ticks } from '../charts/scale.ts';
import {
  calibrationPoints,
  DENSITY_BINS,
  densityOf,
  drawnGroups,
  isSwept,
  rocMark,
  rocPoints,
  type SweptGroup,
  scoreRange,
} from '../facts/score-curves.ts';
import type { Language } from '../language/language.ts';
import { disclosure, figure, paragraph, type Section } from '../page/layout.ts';
import { type Column, numberCell, row, table } from '../page/table.ts';
import { statisticCell } from '../tables/figure-cells.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml, visibleName } from '../text/names.ts';
import { crossAucTable } from './cross-auc.ts';

/** What the scores of each group look like, whatever the threshold: ROC, calibration, densities, xAUC. */
export function scoresSection(audit: AuditReport, language: Language): Section {
  const { t } = language;
  const features = audit.features.map((feature, index) => {
    const input = { audit, feature, id: `scores-${index + 1}`, language };
    return html`<h3>${t.byFeature(nameHtml(feature.sensitiveFeature, language))}</h3>
${rocPart(input)}${calibrationPart(input)}${densityPart(input)}${crossAucTable(feature, language)}`;
  });
  return {
    id: 'scores',
    title: t.scores.title,
    body: audit.ranks === null ? paragraph(t.scores.none) : html`${features}`,
  };
}

interface ScoresInput {
  readonly audit: AuditReport;
  readonly feature: FeatureAudit;
  readonly id: string;
  readonly language: Language;
}

const UNIT_TICKS: Ticks = { values: [0, 0.25, 0.5, 0.75, 1], decimals: 2 };
/** Points of a ROC curve that its table lists. */
const TABLE_STEPS = 10;

function rocPart({ audit, feature, id, language }: ScoresInput): Html {
  const { t, rate } = language;
  const swept = feature.groups.filter(isSwept);
  const at = audit.thresholds.indexOf(audit.threshold ?? Number.NaN);
  const shown = drawnGroups(swept, MOST_CURVES);
  if (shown.length === 0) {
    const hasSweeps = feature.groups.some(({ sweep }) => sweep !== null);
    const why = hasSweeps ? t.scores.oneLabel : t.scores.noSweep;
    return html`${paragraph(why(nameHtml(feature.sensitiveFeature, language)))}${rankingTable(feature, language)}`;
  }
  const picture = curveChart({
    id: `${id}-roc`,
    title: t.scores.roc(feature.sensitiveFeature),
    description: shown
      .map((group) => `${visibleName(group.group, language)}: AUC ${rate(group.auc.value)}. `)
      .join(''),
    xLabel: t.rateNames.falsePositiveRate,
    yLabel: t.rateNames.truePositiveRate,
    xTicks: UNIT_TICKS,
    yTicks: UNIT_TICKS,
    hasDiagonal: true,
    curves: shown.map((group) => ({
      name: visibleName(group.group, language),
      points: rocPoints(group),
      ...(at >= 0 && { mark: rocMark(group, at) }),
    })),
  });
  const title = t.scores.roc(feature.sensitiveFeature);
  const note = html`${t.scores.rocNote}${largestNote(shown, swept, language)}`;
  return html`<div class="beside">${figure([panel(title, picture)], note)}
${rankingTable(feature, language)}</div>
${disclosure(t.scores.figuresOf(title), rocTable(audit, { feature, groups: shown, language }))}`;
}

function panel(title: string, picture: Html): Html {
  return html`<div class="panel"><p class="panel-title">${title}</p>${picture}</div>`;
}

function largestNote(shown: readonly GroupMetrics[], all: readonly GroupMetrics[], { t }: Language): string {
  return shown.length < all.length ? t.scores.largestOnly(shown.length, all.length) : '';
}

function rankingTable({ sensitiveFeature, groups }: FeatureAudit, language: Language): Html {
  const { t, percent } = language;
  const sensitivity = groups[0]?.specificityAtSensitivity.sensitivity ?? 0.9;
  const columns: Column[] = [
    { title: t.groupsSection.group },
    { title: t.groupsSection.columns.auc, isNumeric: true },
    { title: t.scores.specificity(percent(sensitivity)), isNumeric: true },
  ];
  const rows = groups.map((group) =>
    row(nameHtml(group.group, language), [
      statisticCell(group.auc, language),
      statisticCell(group.specificityAtSensitivity, language),
    ]),
  );
  return table({ caption: t.scores.rocTable(sensitiveFeature), columns, rows });
}

interface PointsTable {
  readonly feature: FeatureAudit;
  readonly groups: readonly SweptGroup[];
  readonly language: Language;
}

/** Rates at about ten thresholds, that of the report among them. */
function rocTable({ thresholds, threshold }: AuditReport, { feature, groups, language }: PointsTable): Html {
  const { t, rate } = language;
  const stride = Math.max(1, Math.floor(thresholds.length / TABLE_STEPS));
  const places = thresholds
    .map((_, at) => at)
    .filter((at) => at % stride === 0 || thresholds[at] === threshold);
  const columns: Column[] = [
    { title: t.scores.threshold },
    ...groups.flatMap(({ group }) =>
      [t.scores.tpr, t.scores.fpr].map((name) => ({
        title: html`${nameHtml(group, language)}<br>${name}`,
        isNumeric: true,
      })),
    ),
  ];
  const rows = places.map((at) => {
    const points = groups.map((group) => rocMark(group, at));
    const cells = points.flatMap(({ x, y }) => [numberCell(rate(y)), numberCell(rate(x))]);
    return html`<tr><th scope="row" class="ordinal">${language.threshold(thresholds[at]!)}</th>${cells}</tr>
`;
  });
  return table({ caption: t.scores.rocPoints(feature.sensitiveFeature), columns, rows });
}

function calibrationPart({ feature, id, language }: ScoresInput): Html {
  const { t, rate } = language;
  const { sensitiveFeature, groups } = feature;
  const calibrated = groups.filter((group) => calibrationPoints(group).length > 0);
  const shown = drawnGroups(calibrated, MOST_CURVES);
  const title = t.scores.calibration(sensitiveFeature);
  if (shown.length === 0) return calibrationTable(feature, language);
  const picture = curveChart({
    id: `${id}-calibration`,
    title,
    description: shown
      .map(
        ({ group, calibration }) =>
          `${visibleName(group, language)}: ECE ${rate(calibration?.error.value ?? null)}. `,
      )
      .join(''),
    xLabel: t.scores.meanScore,
    yLabel: t.scores.observed,
    xTicks: UNIT_TICKS,
    yTicks: UNIT_TICKS,
    hasDiagonal: true,
    hasDots: true,
    curves: shown.map((group) => ({
      name: visibleName(group.group, language),
      points: calibrationPoints(group),
    })),
  });
  const note = html`${t.scores.calibrationNote}${largestNote(shown, calibrated, language)}`;
  return html`<div class="beside">${figure([panel(title, picture)], note)}
${calibrationTable(feature, language)}</div>
${disclosure(t.scores.figuresOf(title), binsTable(feature, language))}`;
}

function calibrationTable({ sensitiveFeature, groups }: FeatureAudit, language: Language): Html {
  const { t } = language;
  const columns: Column[] = [
    { title: t.groupsSection.group },
    ...[t.scores.error, t.scores.slope, t.scores.intercept, t.scores.brier].map((title) => ({
      title,
      isNumeric: true,
    })),
  ];
  const rows = groups.map(({ group, calibration, brier }) => {
    const { error = brier, slope = brier, intercept = brier } = calibration ?? {};
    const cells = [error, slope, intercept, brier].map((each) => statisticCell(each, language));
    return row(nameHtml(group, language), cells);
  });
  return table({ caption: t.scores.calibrationTable(sensitiveFeature), columns, rows });
}

function binsTable({ sensitiveFeature, groups }: FeatureAudit, language: Language): Html {
  const { t, rate, count } = language;
  const columns: Column[] = [
    { title: t.groupsSection.group },
    { title: t.scores.meanScore, isNumeric: true },
    { title: t.scores.observed, isNumeric: true },
  ];
  const rows = groups.map(({ group, calibration }) => {
    const bins = calibration?.bins ?? [];
    const cells = bins.map(({ meanScore, positives, support }) => [
      numberCell(rate(meanScore)),
      numberCell(rate(positives / support), t.fraction(count(positives), count(support))),
    ]);
    const lines = cells.map(
      (each, index) =>
        html`<tr>${index === 0 ? html`<th scope="rowgroup" rowspan="${bins.length}">${nameHtml(group, language)}</th>` : NOTHING}${each}</tr>
`,
    );
    return lines.length === 0 ? NOTHING : html`<tbody>${lines}</tbody>`;
  });
  return table({
    caption: t.scores.calibrationBins(sensitiveFeature),
    columns,
    rows,
    hasBodies: true,
  });
}

interface Densities {
  readonly name: string;
  readonly positives: readonly number[];
  readonly negatives: readonly number[];
}

function densityPart({ audit, feature, id, language }: ScoresInput): Html {
  const { t } = language;
  const swept = feature.groups.filter(isSwept);
  const shown = drawnGroups(swept, MOST_CURVES);
  if (shown.length === 0) return NOTHING;
  const densities = shown.map(({ group, sweep, positives, negatives }) => ({
    name: visibleName(group, language),
    positives: densityOf(sweep.truePositives, positives, audit),
    negatives: densityOf(sweep.falsePositives, negatives, audit),
  }));
  const most = Math.max(...densities.flatMap((each) => [...each.positives, ...each.negatives]));
  const [low, high] = scoreRange(audit);
  const axes = {
    xTicks: low === 0 && high === 1 ? UNIT_TICKS : niceTicks([low, high], { atMost: 5 }),
    yTicks: niceTicks([0, most], { atMost: 4 }),
  };
  const pictures = (['positives', 'negatives'] as const).map((label) => {
    const title = t.scores.densities(t.scores[label], feature.sensitiveFeature);
    const picture = curveChart({
      id: `${id}-${label}`,
      title,
      description: title,
      xLabel: t.scores.score,
      yLabel: t.scores.share,
      ...axes,
      height: 160,
      curves: densities.map((each) => densityCurve(each, label, [low, high])),
    });
    return panel(title, picture);
  });
  const note = html`${t.scores.densityNote}${largestNote(shown, swept, language)}`;
  const caption = t.scores.densityTable(feature.sensitiveFeature);
  return html`${figure(pictures, note)}
${disclosure(t.scores.figuresOf(caption), densityTable(caption, { densities, range: [low, high], language }))}`;
}

function densityCurve(
  density: Densities,
  label: 'positives' | 'negatives',
  [low, high]: readonly [number, number],
): Curve {
  const width = (high - low) / DENSITY_BINS;
  return {
    name: density.name,
    points: density[label].map((share, bin) => ({ x: low + width * (bin + 0.5), y: share })),
  };
}

interface DensityTable {
  readonly densities: readonly Densities[];
  readonly range: readonly [number, number];
  readonly language: Language;
}

function densityTable(caption: string, { densities, range: [low, high], language }: DensityTable): Html {
  const { t, rate } = language;
  const columns: Column[] = [
    { title: t.scores.score },
    ...densities.flatMap(({ name }) =>
      [t.scores.positives, t.scores.negatives].map((label) => ({
        title: html`<bdi>${name}</bdi><br>${label}`,
        isNumeric: true,
      })),
    ),
  ];
  const rows = Array.from({ length: DENSITY_BINS }, (_, bin) => {
    const from = low + ((high - low) * bin) / DENSITY_BINS;
    const cells = densities.flatMap(({ positives, negatives }) => [
      numberCell(rate(positives[bin]!)),
      numberCell(rate(negatives[bin]!)),
    ]);
    return html`<tr><th scope="row" class="ordinal">${language.threshold(from)}</th>${cells}</tr>
`;
  });
  return table({ caption, columns, rows });
}
