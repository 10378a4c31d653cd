import type { Disparity, DisparityName, FeatureAudit } from '../../fairness/types.ts';
import { DISPARITY_NAMES } from '../../fairness/types.ts';
import { movementOf } from '../facts/movement.ts';
import { ENGLISH, type Language } from '../language/language.ts';
import { type Column, numberCell, row, table } from '../page/table.ts';
import { signed } from '../text/format.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { disparityCell, shownDisparity, undefinedText } from './figure-cells.ts';

interface DisparityTable {
  readonly before: FeatureAudit;
  readonly after: FeatureAudit | undefined;
  /** The metric that steered the run, when this is its sensitive feature. */
  readonly target: DisparityName | undefined;
}

/** Every disparity of one sensitive feature: with its evidence, or with the change where two audits exist. */
export function disparityTable(
  { before, after, target }: DisparityTable,
  language: Language = ENGLISH,
): Html {
  const { groupsSection: words } = language.t;
  const figures =
    after === undefined
      ? [words.value, words.interval, words.adjusted, words.detectable]
      : ['Before', 'After', 'Change'];
  const columns: Column[] = [
    { title: words.disparity },
    ...figures.map((title) => ({ title, isNumeric: true })),
  ];
  const rows = DISPARITY_NAMES.map((name) => {
    const pair = { before: before.disparities[name], after: after?.disparities[name] };
    return row(metricHeading(name, name === target, language), disparityCells(name, pair, language));
  });
  return table({ caption: words.disparities(before.sensitiveFeature), columns, rows });
}

function metricHeading(name: DisparityName, isTarget: boolean, { t }: Language): Html {
  const { label, meaning } = t.disparities[name];
  const tag = isTarget ? html` <span class="tag">target of this run</span>` : NOTHING;
  return html`${label}${tag}<small>${meaning}</small>`;
}

interface DisparityPair {
  readonly before: Disparity;
  readonly after: Disparity | undefined;
}

function disparityCells(
  name: DisparityName,
  { before, after }: DisparityPair,
  language: Language,
): readonly Html[] {
  if (after === undefined) return [disparityCell(name, before, language), ...evidenceCells(before, language)];
  return [disparityCell(name, before), disparityCell(name, after), changeCell(name, { before, after })];
}

/** Interval, test and smallest gap: of the value, so none where that is not shown. */
function evidenceCells(disparity: Disparity, { t, range, rate }: Language): readonly Html[] {
  const isShown = shownDisparity(disparity) !== null;
  const { interval, test, smallestDetectable } = disparity;
  const none = html`<span class="muted">${t.groupsSection.noInterval}</span>`;
  return [
    numberCell(isShown && interval ? range(interval) : none),
    isShown && test
      ? numberCell(rate(test.adjustedPValue), t.comparisons.tests[test.name])
      : numberCell(none),
    numberCell(isShown && smallestDetectable !== null ? rate(smallestDetectable) : none),
  ];
}

function changeCell(name: DisparityName, pair: { before: Disparity; after: Disparity }): Html {
  const before = shownDisparity(pair.before);
  const after = shownDisparity(pair.after);
  if (before === null || after === null) return numberCell(undefinedText());
  const movement = movementOf(name, before, after);
  return numberCell(signed(after - before), movement === 'same' ? 'same to three decimals' : movement);
}
