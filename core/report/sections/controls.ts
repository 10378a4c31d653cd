import type { ControlsRecord, RunRecord } from '../../jobs/run-record.ts';
import { maskSentence } from '../facts/mask-verdict.ts';
import { notice, paragraph, type Section } from '../page/layout.ts';
import { numberCell, row, table } from '../page/table.ts';
import { count, rate } from '../text/format.ts';
import { type Html, html, NOTHING } from '../text/html.ts';

/** Whether the mask earned its keep: what the run kept against a random mask, none, and a refitted head. */
export function controlsSection(run: RunRecord, controls: ControlsRecord): Section {
  const isKept = run.outcome.status !== 'improved';
  const body = html`${isKept ? notice('Note', 'this run kept the original model, so there is no mask to hold against the controls below.') : NOTHING}
${paragraph('Controls ran on the same data, batches, selection and audit. A mask is worth its trouble if it does better than a random one of the same size, than none, and than refitting the head alone.')}
${isKept ? NOTHING : controls.results.map((control) => paragraph(sentenceOf(run, control, controls)))}
${controlTable(controls)}
${paragraph('One seed tells little: differences between seeds are not in these intervals. counterweight compare repeats the controls over seeds.')}`;
  return { id: 'controls', title: 'Whether the mask earned its keep', body };
}

function sentenceOf(
  { preset }: RunRecord,
  { control, difference, reasons }: ControlsRecord['results'][number],
  { level }: ControlsRecord,
): string {
  if (difference === null) return `${control}: ${reasons.join('; ')}`;
  return maskSentence({ method: preset, control, ...difference }, { level });
}

function controlTable({ results }: ControlsRecord): Html {
  return table({
    caption: 'What the controls reach on the audited data',
    columns: [
      { title: 'Control' },
      ...['Disparity', 'AUC', 'Balanced accuracy', 'Weights changed'].map((title) => ({
        title,
        isNumeric: true,
      })),
    ],
    rows: results.map(({ control, figures, parametersTouched }) =>
      row(control, [
        ...[figures?.disparity, figures?.auc, figures?.balancedAccuracy].map((value) =>
          numberCell(rate(value ?? null)),
        ),
        numberCell(count(parametersTouched)),
      ]),
    ),
  });
}
