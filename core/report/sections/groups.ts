import type { AuditReport, DisparityName, FeatureAudit, GroupMetrics } from '../../fairness/types.ts';
import { type DumbbellRow, dumbbellChart } from '../charts/dumbbell.ts';
import { disclosure, figure, notice, type Section } from '../page/layout.ts';
import { disparityTable } from '../tables/disparity-table.ts';
import { shownRate } from '../tables/figure-cells.ts';
import { columnGuide, groupTable } from '../tables/group-table.ts';
import { worstGroupTable } from '../tables/worst-group-table.ts';
import { plural } from '../text/format.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';

interface GroupsInput {
  readonly before: AuditReport;
  readonly after: AuditReport | null;
  /** What the run steered by; absent for an audit alone. */
  readonly target?: { readonly sensitiveFeature: string; readonly metric: DisparityName };
}

/** Tables and pictures of every sensitive feature: figures by group, disparities, worst groups. */
export function groupsSection({ before, after, target }: GroupsInput): Section {
  const features = before.features.map((feature, index) => {
    const other = after?.features.find((each) => each.sensitiveFeature === feature.sensitiveFeature);
    const isTarget = target?.sensitiveFeature === feature.sensitiveFeature;
    return html`<h3>By ${nameHtml(feature.sensitiveFeature)}</h3>
${feature.groups.length < 2 ? notice('Warning', 'There is only one group here, so there is nothing to compare.') : NOTHING}
${groupTable({ before: feature, overallBefore: before.overall, after: other, overallAfter: after?.overall })}
${rateFigure({ id: `groups-${index + 1}`, before: feature, after: other })}
${disparityTable({ before: feature, after: other, target: isTarget ? target.metric : undefined })}
${worstGroupTable(feature, other)}`;
  });
  return {
    id: 'groups',
    title: after === null ? 'Figures by group' : 'Before and after by group',
    body: html`${disclosure('What the figures mean', columnGuide())}${features}`,
  };
}

interface RateFigure {
  readonly id: string;
  readonly before: FeatureAudit;
  readonly after: FeatureAudit | undefined;
}

function rateFigure({ id, before, after }: RateFigure): Html {
  const isComparison = after !== undefined;
  const pictures = [
    dumbbellChart({
      id: `${id}-tpr`,
      title: `True positive rate by ${before.sensitiveFeature}`,
      rows: dumbbellRows(before, after, 'truePositiveRate'),
      isComparison,
    }),
    dumbbellChart({
      id: `${id}-fpr`,
      title: `False positive rate by ${before.sensitiveFeature}`,
      rows: dumbbellRows(before, after, 'falsePositiveRate'),
      isComparison,
    }),
  ];
  const titles = ['True positive rate (TPR)', 'False positive rate (FPR)'];
  const panels = pictures.map(
    (picture, index) => html`<div class="panel"><p class="panel-title">${titles[index]!}</p>${picture}</div>`,
  );
  const how = isComparison
    ? 'Hollow square: before. Filled circle: after.'
    : 'The closer the circles of a panel stand in one column, the smaller the gap.';
  return figure(
    panels,
    `${how} A dashed track marks a group without the rate. The figures are in the table above.`,
  );
}

function dumbbellRows(
  before: FeatureAudit,
  after: FeatureAudit | undefined,
  name: 'truePositiveRate' | 'falsePositiveRate',
): DumbbellRow[] {
  return before.groups.map((group) => {
    const row = {
      group: group.group,
      support: supportText(group, name),
      before: shownRate(group.rates[name]),
    };
    if (after === undefined) return row;
    const other = after.groups.find((each) => each.group === group.group);
    return { ...row, after: other === undefined ? null : shownRate(other.rates[name]) };
  });
}

function supportText(group: GroupMetrics, name: 'truePositiveRate' | 'falsePositiveRate'): string {
  return name === 'truePositiveRate'
    ? plural(group.positives, 'positive')
    : plural(group.negatives, 'negative');
}
