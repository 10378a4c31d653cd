import type { SetFigures } from '../../fairness/set-figures.ts';
import type { AuditedSetRecord, RunRecord } from '../../jobs/run-record.ts';
import { ENGLISH } from '../language/language.ts';
import { paragraph, type Section } from '../page/layout.ts';
import { numberCell, table, textCell } from '../page/table.ts';
import { count, rate } from '../text/format.ts';
import { type Html, html } from '../text/html.ts';
import { nameHtml, nameList } from '../text/names.ts';
import { DISPARITY_WORDS } from '../text/words.ts';

/** Every audited set before and after, in one table. */
export function auditedSetsSection({ audited, outcome }: RunRecord): Section {
  const { label } = DISPARITY_WORDS[outcome.metric];
  const columns = [
    { title: 'Set' },
    { title: 'Model' },
    { title: 'Samples', isNumeric: true },
    { title: label, isNumeric: true },
    { title: 'AUC', isNumeric: true },
    { title: 'Lowest true positive rate', isNumeric: true },
    { title: 'Groups without positives or negatives' },
  ];
  return {
    id: 'sets',
    title: 'All audited sets',
    body: html`${paragraph(
      'The first set decided the outcome. The others were only measured, with the same model and threshold: they show whether the change holds on data that differs.',
    )}
${table({ caption: `Figures by ${outcome.sensitiveFeature} on every audited set`, columns, rows: audited.map(setRows), hasBodies: true })}`,
  };
}

function setRows({ name, source, figures: { before, after } }: AuditedSetRecord): Html {
  const heading = html`${nameHtml(name)}<small>${SOURCE_WORDS[source]}</small>`;
  if (after === null) {
    return html`<tbody><tr><th scope="row">${heading}</th>${figureCells('before', before)}</tr></tbody>
`;
  }
  return html`<tbody><tr><th scope="rowgroup" rowspan="2">${heading}</th>${figureCells('before', before)}</tr>
<tr>${figureCells('after', after)}</tr></tbody>
`;
}

const SOURCE_WORDS = {
  split: 'split of the manifest',
  manifest: 'table of its own',
  part: 'part of the external data',
} as const satisfies Record<AuditedSetRecord['source'], string>;

function figureCells(
  model: string,
  { support, disparity, auc, worstTruePositiveRate: worst, emptyGroups }: SetFigures,
): Html {
  const figure = ({ value, interval }: SetFigures['auc']) =>
    numberCell(rate(value), interval === null ? '' : ENGLISH.range(interval));
  return html`${textCell(model)}${numberCell(count(support))}${figure(disparity)}${figure(auc)}${
    worst === null ? numberCell(rate(null)) : numberCell(rate(worst.value), nameHtml(worst.group))
  }${textCell(emptyGroups.length === 0 ? 'none' : nameList(emptyGroups))}`;
}
