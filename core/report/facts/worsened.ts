import type { AuditReport, FeatureAudit, GroupMetrics } from '../../fairness/types.ts';
import { DISPARITY_NAMES } from '../../fairness/types.ts';
import { shownDisparity, shownRate } from '../tables/figure-cells.ts';
import { rate } from '../text/format.ts';
import { type Html, html } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';
import { DISPARITY_WORDS, inSentence } from '../text/words.ts';
import { movementOf } from './movement.ts';

export interface Worsened {
  /** Gaps that widened, e.g. `demographic parity difference by sex 0.100 → 0.120`. */
  readonly gaps: readonly Html[];
  /** Figures of groups that got worse, e.g. `F (sex): true positive rate 0.800 → 0.750`. */
  readonly groups: readonly Html[];
}

/** What got worse between two audits, to three decimals: a gap can narrow because a group lost. */
export function worsened(before: AuditReport, after: AuditReport): Worsened {
  const pairs = before.features.flatMap((feature) => {
    const other = after.features.find((each) => each.sensitiveFeature === feature.sensitiveFeature);
    return other === undefined ? [] : [{ feature, other }];
  });
  return {
    gaps: pairs.flatMap(({ feature, other }) => widenedGaps(feature, other)),
    groups: pairs.flatMap(({ feature, other }) => worseGroups(feature, other)),
  };
}

function widenedGaps(feature: FeatureAudit, other: FeatureAudit): Html[] {
  return DISPARITY_NAMES.flatMap((name) => {
    const before = shownDisparity(feature.disparities[name]);
    const after = shownDisparity(other.disparities[name]);
    if (before === null || after === null || movementOf(name, before, after) !== 'wider') return [];
    const label = inSentence(DISPARITY_WORDS[name].label);
    return [html`${label} by ${nameHtml(feature.sensitiveFeature)} ${rate(before)} → ${rate(after)}`];
  });
}

function worseGroups(feature: FeatureAudit, other: FeatureAudit): Html[] {
  return feature.groups.flatMap((before) => {
    const after = other.groups.find((each) => each.group === before.group);
    if (after === undefined) return [];
    const name = html`${nameHtml(before.group)} (${nameHtml(feature.sensitiveFeature)})`;
    return FIGURES.filter((figure) => gotWorse(figure, before, after)).map(
      ({ label, read }) => html`${name}: ${label} ${rate(read(before))} → ${rate(read(after))}`,
    );
  });
}

interface Figure {
  readonly label: string;
  readonly read: (metrics: GroupMetrics) => number | null;
  readonly isBetterHigh: boolean;
}

const FIGURES: readonly Figure[] = [
  { label: 'true positive rate', read: ({ rates }) => shownRate(rates.truePositiveRate), isBetterHigh: true },
  {
    label: 'false positive rate',
    read: ({ rates }) => shownRate(rates.falsePositiveRate),
    isBetterHigh: false,
  },
  { label: 'AUC', read: ({ auc }) => auc.value, isBetterHigh: true },
];

function gotWorse({ read, isBetterHigh }: Figure, before: GroupMetrics, after: GroupMetrics): boolean {
  const [first, second] = [read(before), read(after)];
  if (first === null || second === null || rate(first) === rate(second)) return false;
  return second < first === isBetterHigh;
}
