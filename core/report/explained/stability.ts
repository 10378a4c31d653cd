import type { MaskComparison } from '../../jobs/explanation.ts';
import { dumbbellChart } from '../charts/dumbbell.ts';
import { disclosure, figure, paragraph } from '../page/layout.ts';
import { numberCell, row, table } from '../page/table.ts';
import { rate } from '../text/format.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';

const WHAT: Readonly<Record<MaskComparison['kind'], string>> = {
  halves: 'Halves',
  seed: 'Shuffle',
  'batch size': 'Batch size',
};

/** How much of the mask comes back on other halves, draws and batch sizes, beside what chance gives. */
export function stabilityHtml(comparisons: readonly MaskComparison[]): Html {
  if (comparisons.length === 0) return paragraph('The mask was compared with no other.');
  const hasChance = comparisons.some(({ chance }) => chance !== null);
  const chart = dumbbellChart({
    id: 'mask-overlaps',
    title: 'Overlap of masks beside chance',
    rows: comparisons.map(({ kind, differs, chance, overlap }) => ({
      group: WHAT[kind],
      support: differs,
      before: hasChance ? chance : overlap,
      ...(hasChance && { after: overlap }),
    })),
    isComparison: hasChance,
    words: ['by chance', 'overlap'],
  });
  return html`${figure(
    [html`<div class="panel">${chart}</div>`],
    'Jaccard overlap of two masks: weights in both among weights in either, 1 is identical. By chance: the mean overlap of two random masks of these sizes. Halves: the masks of two halves of the data, each less sure than the run’s own. Shuffle and batch size: the run’s mask against that of the same rows dealt to other batches.',
  )}
${overallTable(comparisons)}
${disclosure('Overlap by tensor', tensorTable(comparisons))}`;
}

function overallTable(comparisons: readonly MaskComparison[]): Html {
  const columns = [
    { title: 'Compared' },
    { title: 'Overlap', isNumeric: true },
    { title: 'Chance', isNumeric: true },
    { title: 'Chance with these sizes in each tensor', isNumeric: true },
  ];
  const rows = comparisons.map(({ kind, differs, overlap, chance, chanceWithinTensors }) =>
    row(html`${WHAT[kind]}<small>${differs}</small>`, [
      numberCell(rate(overlap)),
      numberCell(rate(chance)),
      numberCell(rate(chanceWithinTensors)),
    ]),
  );
  return table({ caption: 'How stable the mask is', columns, rows });
}

function tensorTable(comparisons: readonly MaskComparison[]): Html {
  const columns = [
    { title: 'Tensor' },
    ...comparisons.map(({ differs }) => ({ title: differs, isNumeric: true })),
  ];
  const names = comparisons[0]!.layers.map(({ parameter }) => parameter);
  const rows = names.map((name, place) =>
    row(
      nameHtml(name),
      comparisons.map(({ layers }) => {
        const { overlap, chance } = layers[place]!;
        return numberCell(rate(overlap), chance === null ? NOTHING : `chance ${rate(chance)}`);
      }),
    ),
  );
  return table({ caption: 'Overlap by tensor', columns, rows });
}
