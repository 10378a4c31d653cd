import type { FeatureAudit, WorstGroup } from '../../fairness/types.ts';
import { type Column, row, table, textCell } from '../page/table.ts';
import { rate } from '../text/format.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml, nameList } from '../text/names.ts';
import { WORST_GROUP_WORDS } from '../text/words.ts';
import { undefinedText } from './figure-cells.ts';

/** The group with the lowest figure, per metric. A gap may narrow because the best group lost; this shows it. */
export function worstGroupTable(before: FeatureAudit, after: FeatureAudit | undefined): Html {
  const columns: Column[] =
    after === undefined
      ? [{ title: 'Figure' }, { title: 'Lowest group' }]
      : [{ title: 'Figure' }, { title: 'Lowest group before' }, { title: 'Lowest group after' }];
  const rows = before.worstGroups.map((worst) => {
    const other = after?.worstGroups.find(({ metric }) => metric === worst.metric);
    const cells = after === undefined ? [worst] : [worst, other];
    return row(WORST_GROUP_WORDS[worst.metric], cells.map(worstCell));
  });
  return table({ caption: `Worst group by ${before.sensitiveFeature}`, columns, rows });
}

function worstCell(worst: WorstGroup | undefined): Html {
  if (worst === undefined) return textCell('not in the audit after');
  const { group, value, unsupportedGroups } = worst;
  const leftOut =
    unsupportedGroups.length === 0 ? NOTHING : html`<small>left out: ${nameList(unsupportedGroups)}</small>`;
  if (group === null || value === null) return textCell(html`${undefinedText()}${leftOut}`);
  return textCell(html`<span class="figure">${rate(value)}</span> ${nameHtml(group)}${leftOut}`);
}
