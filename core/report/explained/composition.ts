import type { Composition, MaskPart, Mass } from '../../jobs/explanation.ts';
import { shareBar } from '../charts/bar.ts';
import { disclosure, paragraph } from '../page/layout.ts';
import { row, table } from '../page/table.ts';
import { NOT_DEFINED, percent, plural } from '../text/format.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';

/** What the mask is made of: shares of weights, importance and change, by block, kind and layer. */
export function compositionHtml({ total, layers, blocks, kinds }: Composition): Html {
  if (layers.length === 0) return paragraph('The model has no weights that a mask could hold.');
  const isBlockwise = blocks.length < layers.length;
  return html`${paragraph(totalSentence(total))}
${paragraph(
  'Importance is the mean squared gradient of a loss by a weight. Masked is the part of it that lies on weights in the mask: a share of all importance that is far above the share of weights says that the mask holds what moves that loss.',
)}
${partTable('Where the mask lies, by kind of weight', kinds)}
${isBlockwise ? partTable('Where the mask lies, by block', blocks) : NOTHING}
${isBlockwise ? disclosure(`All ${layers.length} layers`, partTable('Where the mask lies, by layer', layers)) : partTable('Where the mask lies, by layer', layers)}`;
}

function totalSentence({ weights, selected, disparityMass, taskMass }: MaskPart): string {
  const share = weights === 0 ? 'none' : percent(selected / weights);
  const masses = [
    ...(disparityMass ? [`${percent(disparityMass.masked)} of the importance for the disparity`] : []),
    ...(taskMass ? [`${percent(taskMass.masked)} of the importance for the task`] : []),
  ];
  return `The mask holds ${[`${share} of the weights`, ...masses].join(', ')}.`;
}

function partTable(caption: string, parts: readonly MaskPart[]): Html {
  const columns = [
    { title: 'Part' },
    { title: 'Weights in the mask' },
    { title: 'Disparity importance, masked' },
    { title: 'Task importance, masked' },
    { title: 'Change by tuning' },
  ];
  return table({ caption, columns, rows: parts.map(partRow) });
}

function partRow({ name, weights, selected, disparityMass, taskMass, change }: MaskPart): Html {
  return row(html`${nameHtml(name)}<small>${plural(weights, 'weight')}</small>`, [
    barCell(weights === 0 ? null : selected / weights),
    massCell(disparityMass),
    massCell(taskMass),
    barCell(change),
  ]);
}

function massCell(mass: Mass | null): Html {
  return mass === null ? barCell(null) : barCell(mass.masked, ` of ${percent(mass.held)}`);
}

function barCell(share: number | null, detail = ''): Html {
  if (share === null) return html`<td class="text"><em>${NOT_DEFINED}</em></td>`;
  return html`<td class="bar-cell">${shareBar(Math.min(1, share))} ${percent(share)}${detail}</td>`;
}
