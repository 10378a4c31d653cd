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

interface Item {
  readonly text: Html;
  /** By how much it got worse. */
  readonly size: number;
}

/** What got worse between two audits, to three decimals, worst first: a gap can narrow because a group lost. */
export function worsened(before: AuditReport, after: AuditReport): Worsened {
  const pairs = before.features.flatMap((feature) => {
    const other = after.features.find((each) => each.sensitiveFeature === feature.sensitiveFeature);
    return other === undefined ? [] : [{ feature, other }];
  });
  return {
    gaps: worstFirst(pairs.flatMap(({ feature, other }) => widenedGaps(feature, other))),
    groups: worstFirst(pairs.flatMap(({ feature, other }) => worseGroups(feature, other))),
  };
}

function worstFirst(items: readonly Item[]): Html[] {
  return items.toSorted((a, b) => b.size - a.size).map(({ text }) => text);
}

function widenedGaps(feature: FeatureAudit, other: FeatureAudit): Item[] {
  return DISPARITY_NAMES.flatMap((name) => {
    const before = shownDisparity(feature.disparities[name]);
    const after = shownDisparity(other.disparities[name]);
    if (before === null || after === null || movementOf(name, before, after) !== 'wider') return [];
    const label = inSentence(DISPARITY_WORDS[name].label);
    const text = html`${label} by ${nameHtml(feature.sensitiveFeature)} ${rate(before)} → ${rate(after)}`;
    return [{ text, size: Math.abs(after - before) }];
  });
}

function worseGroups(feature: FeatureAudit, other: FeatureAudit): Item[] {
  return feature.groups.flatMap((before) => {
    const after = other.groups.find((each) => each.group === before.group);
    if (after === undefined) return [];
    const name = html`${nameHtml(before.group)} (${nameHtml(feature.sensitiveFeature)})`;
    return FIGURES.flatMap((figure) => worseFigure(figure, name, { before, after }));
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

interface MetricsPair {
  readonly before: GroupMetrics;
  readonly after: GroupMetrics;
}

/** The figure as an item when it got worse, nothing otherwise. */
function worseFigure({ label, read, isBetterHigh }: Figure, name: Html, pair: MetricsPair): Item[] {
  const before = read(pair.before);
  const after = read(pair.after);
  if (before === null || after === null || rate(before) === rate(after)) return [];
  if (after < before !== isBetterHigh) return [];
  return [{ text: html`${name}: ${label} ${rate(before)} → ${rate(after)}`, size: Math.abs(after - before) }];
}
