import type { FeatureAudit, GroupMetrics, RateName } from '../../fairness/types.ts';
import { type Column, numberCell, table } from '../page/table.ts';
import { count } from '../text/format.ts';
import { type Html, html } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';
import { rateCell, statisticCell } from './figure-cells.ts';

interface GroupTable {
  readonly before: FeatureAudit;
  readonly overallBefore: GroupMetrics;
  readonly after: FeatureAudit | undefined;
  readonly overallAfter: GroupMetrics | undefined;
}

const RATE_COLUMNS = [
  'selectionRate',
  'truePositiveRate',
  'falsePositiveRate',
  'positivePredictiveValue',
  'accuracy',
] as const satisfies readonly RateName[];

const FIGURE_COLUMNS: readonly Column[] = [
  { title: 'Support', isNumeric: true },
  { title: 'Positives', isNumeric: true },
  { title: 'Negatives', isNumeric: true },
  { title: html`Selection<br>rate`, isNumeric: true },
  { title: html`<abbr title="true positive rate">TPR</abbr>`, isNumeric: true },
  { title: html`<abbr title="false positive rate">FPR</abbr>`, isNumeric: true },
  { title: html`<abbr title="positive predictive value">PPV</abbr>`, isNumeric: true },
  { title: 'Accuracy', isNumeric: true },
  { title: html`Balanced<br>accuracy`, isNumeric: true },
  { title: html`<abbr title="area under the ROC curve">AUC</abbr>`, isNumeric: true },
];

/** Figures of each group and of all samples; with two audits each group has a row before and a row after. */
export function groupTable({ before, overallBefore, after, overallAfter }: GroupTable): Html {
  const hasAfter = after !== undefined;
  const pairs = before.groups.map((group) => ({
    name: nameHtml(group.group),
    before: group,
    after: after?.groups.find((other) => other.group === group.group),
  }));
  pairs.push({ name: html`All samples`, before: overallBefore, after: overallAfter });
  const when: Column[] = hasAfter ? [{ title: 'Model' }] : [];
  return table({
    caption: `Figures by ${before.sensitiveFeature}${hasAfter ? ', before and after' : ''}`,
    columns: [{ title: 'Group' }, ...when, ...FIGURE_COLUMNS],
    rows: pairs.map((pair) => groupRows(pair, hasAfter)),
    hasBodies: true,
  });
}

interface Pair {
  readonly name: Html;
  readonly before: GroupMetrics;
  readonly after: GroupMetrics | undefined;
}

function groupRows({ name, before, after }: Pair, hasAfter: boolean): Html {
  if (!hasAfter) {
    return html`<tbody><tr><th scope="row">${name}</th>${supportCells(before)}${figureCells(before)}</tr></tbody>
`;
  }
  const afterCells =
    after === undefined
      ? html`<td colspan="${FIGURE_COLUMNS.length}">not in the audit after</td>`
      : html`${supportCells(after)}${figureCells(after)}`;
  return html`<tbody><tr><th scope="rowgroup" rowspan="2">${name}</th><th scope="row" class="model">before</th>${supportCells(before)}${figureCells(before)}</tr>
<tr><th scope="row" class="model">after</th>${afterCells}</tr></tbody>
`;
}

function supportCells({ support, positives, negatives }: GroupMetrics): Html {
  return html`${[support, positives, negatives].map((size) => numberCell(count(size)))}`;
}

function figureCells(metrics: GroupMetrics): Html {
  const rates = RATE_COLUMNS.map((name) => rateCell(name, metrics.rates[name]));
  return html`${rates}${statisticCell(metrics.balancedAccuracy)}${statisticCell(metrics.auc)}`;
}

/** What the columns mean, once per report. */
export function columnGuide(): Html {
  return html`<dl class="guide">${GUIDE.map(
    ([term, text]) => html`<div><dt>${term}</dt><dd>${text}</dd></div>
`,
  )}</dl>
`;
}

const GUIDE = [
  ['Support', 'Samples of the group. A rate always stands with its numerator and support, as in 21 of 41.'],
  ['Selection rate', 'Share of the samples that the model predicts positive.'],
  ['TPR', 'True positive rate: share of the positives that the model predicts positive.'],
  ['FPR', 'False positive rate: share of the negatives that the model predicts positive.'],
  ['PPV', 'Positive predictive value: share of the predicted positives that are positive.'],
  ['Accuracy', 'Share of the samples that the model predicts right.'],
  ['Balanced accuracy', 'Mean of the true positive rate and the true negative rate.'],
  ['AUC', 'Chance that a positive scores above a negative of the same group; needs no threshold.'],
  ['not defined', 'The figure has nothing to divide by. It is neither 0 nor evidence of a small gap.'],
] as const;
