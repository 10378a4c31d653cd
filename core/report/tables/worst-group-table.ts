import type { FeatureAudit, WorstGroup } from '../../fairness/types.ts';
import { ENGLISH, type Language } from '../language/language.ts';
import { type Column, row, table, textCell } from '../page/table.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml, nameList } from '../text/names.ts';
import { undefinedText } from './figure-cells.ts';

/** The group with the lowest figure, per metric. A gap may narrow because the best group lost; this shows it. */
export function worstGroupTable(
  before: FeatureAudit,
  after: FeatureAudit | undefined,
  language: Language = ENGLISH,
): Html {
  const { groupsSection: words, worstGroups } = language.t;
  const columns: Column[] =
    after === undefined
      ? [{ title: words.figure }, { title: words.lowestGroup }]
      : [{ title: words.figure }, { title: 'Lowest group before' }, { title: 'Lowest group after' }];
  const rows = before.worstGroups.map((worst) => {
    const other = after?.worstGroups.find(({ metric }) => metric === worst.metric);
    const cells = after === undefined ? [worst] : [worst, other];
    return row(
      worstGroups[worst.metric],
      cells.map((cell) => worstCell(cell, language)),
    );
  });
  return table({ caption: words.worst(before.sensitiveFeature), columns, rows });
}

function worstCell(worst: WorstGroup | undefined, language: Language): Html {
  if (worst === undefined) return textCell('not in the audit after');
  const { group, value, unsupportedGroups } = worst;
  const leftOut =
    unsupportedGroups.length === 0
      ? NOTHING
      : html`<small>${language.t.groupsSection.leftOut(nameList(unsupportedGroups, language))}</small>`;
  if (group === null || value === null) return textCell(html`${undefinedText(language)}${leftOut}`);
  return textCell(
    html`<span class="figure">${language.rate(value)}</span> ${nameHtml(group, language)}${leftOut}`,
  );
}
