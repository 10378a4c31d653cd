import type { AuditReport, FeatureAudit } from '../../fairness/types.ts';
import type { RunRecord } from '../../jobs/run-record.ts';
import { type DumbbellRow, dumbbellChart } from '../charts/dumbbell.ts';
import { targetNames } from '../facts/targets.ts';
import { ENGLISH, type Language } from '../language/language.ts';
import { disclosure, figure, notice, type Section } from '../page/layout.ts';
import { disparityTable } from '../tables/disparity-table.ts';
import { shownRate } from '../tables/figure-cells.ts';
import { columnGuide, groupTable } from '../tables/group-table.ts';
import { worstGroupTable } from '../tables/worst-group-table.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';

interface GroupsInput {
  readonly before: AuditReport;
  readonly after: AuditReport | null;
  /** What the run steered by; absent for an audit alone. */
  readonly target?: Pick<RunRecord['outcome'], 'sensitiveFeature' | 'features' | 'metric'>;
}

/** Tables and pictures of every sensitive feature: figures by group, disparities, worst groups. */
export function groupsSection({ before, after, target }: GroupsInput, language: Language = ENGLISH): Section {
  const { t } = language;
  const features = before.features.map((feature, index) => {
    const other = after?.features.find((each) => each.sensitiveFeature === feature.sensitiveFeature);
    const isTarget = target !== undefined && targetNames(target).includes(feature.sensitiveFeature);
    return html`<h3>${t.byFeature(nameHtml(feature.sensitiveFeature, language))}</h3>
${feature.groups.length < 2 ? notice('Warning', t.groupsSection.oneGroup, language) : NOTHING}
${groupTable({ before: feature, overallBefore: before.overall, after: other, overallAfter: after?.overall }, language)}
${rateFigure({ id: `groups-${index + 1}`, before: feature, after: other, language })}
${disparityTable({ before: feature, after: other, target: isTarget ? target.metric : undefined }, language)}
${worstGroupTable(feature, other, language)}`;
  });
  return {
    id: 'groups',
    title: after === null ? t.groupsSection.title : 'Before and after by group',
    body: html`${disclosure(t.groupsSection.guide, columnGuide(language))}${features}`,
  };
}

interface RateFigure {
  readonly id: string;
  readonly before: FeatureAudit;
  readonly after: FeatureAudit | undefined;
  readonly language: Language;
}

function rateFigure({ id, before, after, language }: RateFigure): Html {
  const isComparison = after !== undefined;
  const { groupsSection: words, rateNames } = language.t;
  const panels = (['truePositiveRate', 'falsePositiveRate'] as const).map((name) => {
    const picture = dumbbellChart({
      id: `${id}-${name === 'truePositiveRate' ? 'tpr' : 'fpr'}`,
      title: words.pictureBy(rateNames[name], before.sensitiveFeature),
      rows: dumbbellRows({ before, after, name, language }),
      isComparison,
      language,
    });
    return html`<div class="panel"><p class="panel-title">${words.pictures[name]}</p>${picture}</div>`;
  });
  return figure(panels, isComparison ? COMPARISON_NOTE : words.pictureNote);
}

const COMPARISON_NOTE =
  'Hollow square: before. Filled circle: after. A dashed track marks a group without the rate. The figures are in the table above.';

interface DumbbellInput {
  readonly before: FeatureAudit;
  readonly after: FeatureAudit | undefined;
  readonly name: 'truePositiveRate' | 'falsePositiveRate';
  readonly language: Language;
}

function dumbbellRows({ before, after, name, language }: DumbbellInput): DumbbellRow[] {
  const { t } = language;
  return before.groups.map((group) => {
    const row = {
      group: group.group,
      support: name === 'truePositiveRate' ? t.positives(group.positives) : t.negatives(group.negatives),
      before: shownRate(group.rates[name]),
    };
    if (after === undefined) return row;
    const other = after.groups.find((each) => each.group === group.group);
    return { ...row, after: other === undefined ? null : shownRate(other.rates[name]) };
  });
}
