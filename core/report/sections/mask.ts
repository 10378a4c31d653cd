import type { MaskLayer, MaskSummary } from '../../jobs/run-record.ts';
import { shareBar } from '../charts/bar.ts';
import { disclosure, notice, paragraph, type Section } from '../page/layout.ts';
import { longTextCell, numberCell, row, table, textCell } from '../page/table.ts';
import { count, percent, rate } from '../text/format.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';

const MOST_LAYERS = 20;

/** Which weights the run could change, by layer, and how far that choice depends on the data at hand. */
export function maskSection(mask: MaskSummary | null): Section {
  const body =
    mask === null ? paragraph('No mask is recorded: what was kept was not made with one.') : maskBody(mask);
  return { id: 'mask', title: 'What the mask selects', body };
}

function maskBody(mask: MaskSummary): Html {
  return html`${mask.isApplied ? NOTHING : notice('Note', 'this mask was found but not used: what was kept leaves the body as it was.')}
${paragraph(totalSentence(mask))}
${paragraph(html`<strong>Stability:</strong> ${stabilitySentence(mask)}`)}
${layerTables(mask.layers)}
${paragraph(
  'The mask shows which weights moved the disparity loss most against the task loss. That is an association inside this model, not an explanation of the gap.',
)}`;
}

function totalSentence({ kind, percentile, selected, total, isApplied }: MaskSummary): string {
  const share = total === 0 ? 'none' : percent(selected / total);
  if (kind === 'soft') {
    return `The mask is soft: each weight has an entry between 0 and 1 that scales its updates. The entries add up to ${count(selected)} over ${count(total)} body weights (${share}).`;
  }
  const above = percentile === null ? '' : `, those whose ratio lies above percentile ${count(percentile)}`;
  return `The mask selects ${count(selected)} of ${count(total)} body weights (${share})${above}.${isApplied ? ' Stage 1 tunes the body through it.' : ''}`;
}

/**
 * Jaccard overlap in words. Two random masks that each select a share s overlap by s / (2 − s) on average, so
 * a hard mask is read against that and not against 0.
 */
export function stabilitySentence({ kind, stability, selected, total }: MaskSummary): string {
  if (stability === null) return 'not measured, one half of the data is too small for a mask of its own.';
  const lead = `the masks of two halves of the data overlap by ${rate(stability)} (Jaccard, 1 is identical)`;
  if (kind === 'soft' || total === 0) return `${lead}: ${overlapWords(stability)}.`;
  const share = selected / total;
  const chance = share / (2 - share);
  const words = stability <= chance + 0.05 ? 'hardly more alike than by chance' : overlapWords(stability);
  return `${lead}: ${words}. Two random masks of this size overlap by about ${rate(chance)}.`;
}

function overlapWords(stability: number): string {
  if (stability >= 0.8) return 'nearly the same weights';
  if (stability >= 0.6) return 'mostly the same weights';
  if (stability >= 0.4) return 'in part the same weights';
  return 'mostly different weights, so the choice depends strongly on the sample';
}

/** Every tensor in the model's order; long models show their largest tensors first and the rest on demand. */
function layerTables(layers: readonly MaskLayer[]): Html {
  if (layers.length <= MOST_LAYERS) return layerTable('Share of the weights selected, by tensor', layers);
  const largest = new Set(layers.toSorted((a, b) => b.size - a.size).slice(0, MOST_LAYERS));
  const shown = layers.filter((layer) => largest.has(layer));
  const leftOut = layers.filter(({ note }) => note !== undefined).length;
  return html`${layerTable(`Share of the weights selected, the ${MOST_LAYERS} largest of ${layers.length} tensors`, shown)}
${leftOut === 0 ? NOTHING : paragraph(`${leftOut} of the ${layers.length} tensors carry a note; all are in the list below.`)}
${disclosure(`All ${layers.length} tensors`, layerTable('Share of the weights selected, all tensors', layers))}`;
}

function layerTable(caption: string, layers: readonly MaskLayer[]): Html {
  const columns = [
    { title: 'Tensor' },
    { title: 'Share selected' },
    { title: 'Selected', isNumeric: true },
    { title: 'Weights', isNumeric: true },
    { title: 'Note' },
  ];
  return table({ caption, columns, rows: layers.map(layerRow) });
}

function layerRow({ parameter, size, selected, note }: MaskLayer): Html {
  const share = size === 0 ? 0 : selected / size;
  return row(nameHtml(parameter), [
    html`<td class="bar-cell">${shareBar(share)} ${percent(share)}</td>`,
    numberCell(count(selected)),
    numberCell(count(size)),
    note === undefined ? textCell('') : longTextCell(note),
  ]);
}
