import type { AuditReport, ClassAudit } from '../../fairness/types.ts';
import type { Language } from '../language/language.ts';
import { paragraph, type Section } from '../page/layout.ts';
import { type Column, numberCell, row, table } from '../page/table.ts';
import { disparityCell, statisticCell } from '../tables/figure-cells.ts';
import { type Html, html } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';

const GAPS = [
  'demographicParityDifference',
  'equalOpportunityDifference',
  'equalizedOddsDifference',
] as const;

/** The main figures of each class against the rest; null for an audit of two classes. */
export function classesSection(
  { classes = [], features }: Pick<AuditReport, 'classes' | 'features'>,
  language: Language,
): Section | null {
  if (classes.length === 0) return null;
  const { t } = language;
  const tables = features.map((feature, index) =>
    classTable(feature.sensitiveFeature, classes, { index, language }),
  );
  return {
    id: 'classes',
    title: t.classes.title,
    body: html`${paragraph(t.classes.lead)}${tables}`,
  };
}

function classTable(
  feature: string,
  classes: readonly ClassAudit[],
  { index, language }: { readonly index: number; readonly language: Language },
): Html {
  const { t, count } = language;
  const columns: Column[] = [
    { title: t.classes.class },
    ...[
      t.groupsSection.columns.positives,
      t.groupsSection.columns.auc,
      ...GAPS.map((name) => t.disparities[name].label),
    ].map((title) => ({ title, isNumeric: true })),
  ];
  const rows = classes.map(({ label, overall, features }) =>
    row(nameHtml(label, language), [
      numberCell(count(overall.positives)),
      statisticCell(overall.auc, language),
      ...GAPS.map((name) => disparityCell(name, features[index]!.disparities[name], language)),
    ]),
  );
  return table({ caption: t.classes.caption(feature), columns, rows });
}
