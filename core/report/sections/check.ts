import type { Finding } from '../../checks/types.ts';
import type { RunRecord } from '../../jobs/run-record.ts';
import { bulletList, paragraph, type Section } from '../page/layout.ts';
import { longTextCell, row, table } from '../page/table.ts';
import { plural } from '../text/format.ts';
import { html, NOTHING } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';

const SEVERITY_WORDS = { unfit: 'Unfit', care: 'Care' } as const satisfies Record<
  Finding['severity'],
  string
>;

/** What was found in the data before anything was trained on it; none for runs that did not look. */
export function checkSections({ check }: RunRecord): Section[] {
  if (check === undefined) return [];
  const { verdict, findings, notChecked = [] } = check;
  const unseen =
    notChecked.length === 0
      ? NOTHING
      : html`${paragraph('What could not be checked:')}
${bulletList(notChecked)}`;
  if (findings.length === 0) {
    return [
      {
        id: 'check',
        title: 'Is the data fit for this?',
        body: html`${paragraph(`The check found nothing${notChecked.length === 0 ? '' : ' in what it could look at'}. No finding is no proof that the data are fit.`)}
${unseen}`,
      },
    ];
  }
  const rows = findings.map(({ severity, reason, repair }) =>
    row(SEVERITY_WORDS[severity], [longTextCell(nameHtml(reason)), longTextCell(nameHtml(repair))]),
  );
  return [
    {
      id: 'check',
      title: 'Is the data fit for this?',
      body: html`${paragraph(`The check calls the data ${verdict}: ${plural(findings.length, 'finding')}. Supports and distances are in check.json.`)}
${table({ caption: 'Findings of the check', columns: [{ title: 'Severity' }, { title: 'What was found' }, { title: 'What to collect or repair' }], rows })}
${unseen}`,
    },
  ];
}
