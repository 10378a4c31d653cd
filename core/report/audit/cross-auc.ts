import type { FeatureAudit } from '../../fairness/types.ts';
import type { Language } from '../language/language.ts';
import { paragraph } from '../page/layout.ts';
import { type Column, row, table } from '../page/table.ts';
import { statisticCell } from '../tables/figure-cells.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';

/** xAUC of every ordered pair of groups; on the diagonal the AUC of the group itself. */
export function crossAucTable(
  { sensitiveFeature, groups, crossAuc }: FeatureAudit,
  language: Language,
): Html {
  if (crossAuc.length === 0) return NOTHING;
  const { scores } = language.t;
  const columns: Column[] = [
    { title: scores.crossPositives },
    ...groups.map(({ group }) => ({
      title: scores.crossNegatives(nameHtml(group, language)),
      isNumeric: true,
    })),
  ];
  const rows = groups.map(({ group, auc }) =>
    row(
      nameHtml(group, language),
      groups.map((other) => {
        const pair = crossAuc.find((each) => each.positives === group && each.negatives === other.group);
        return statisticCell(pair?.auc ?? auc, language);
      }),
    ),
  );
  return html`${table({ caption: scores.crossAuc(sensitiveFeature), columns, rows })}
${paragraph(scores.crossNote)}`;
}
