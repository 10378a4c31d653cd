import type { Disparity, DisparityName, FeatureAudit } from '../../fairness/types.ts';
import { DISPARITY_NAMES } from '../../fairness/types.ts';
import { movementOf } from '../facts/movement.ts';
import { type Column, numberCell, row, table } from '../page/table.ts';
import { signed } from '../text/format.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { DISPARITY_WORDS } from '../text/words.ts';
import { disparityCell, shownDisparity, undefinedText } from './figure-cells.ts';

interface DisparityTable {
  readonly before: FeatureAudit;
  readonly after: FeatureAudit | undefined;
  /** The metric that steered the run, when this is its sensitive feature. */
  readonly target: DisparityName | undefined;
}

/** Every disparity of one sensitive feature, with the change where two audits exist. */
export function disparityTable({ before, after, target }: DisparityTable): Html {
  const columns: Column[] =
    after === undefined
      ? [{ title: 'Disparity' }, { title: 'Value', isNumeric: true }]
      : [
          { title: 'Disparity' },
          { title: 'Before', isNumeric: true },
          { title: 'After', isNumeric: true },
          { title: 'Change', isNumeric: true },
        ];
  const rows = DISPARITY_NAMES.map((name) => {
    const pair = { before: before.disparities[name], after: after?.disparities[name] };
    return row(metricHeading(name, name === target), disparityCells(name, pair));
  });
  return table({ caption: `Disparities by ${before.sensitiveFeature}`, columns, rows });
}

function metricHeading(name: DisparityName, isTarget: boolean): Html {
  const { label, meaning } = DISPARITY_WORDS[name];
  const tag = isTarget ? html` <span class="tag">target of this run</span>` : NOTHING;
  return html`${label}${tag}<small>${meaning}</small>`;
}

interface DisparityPair {
  readonly before: Disparity;
  readonly after: Disparity | undefined;
}

function disparityCells(name: DisparityName, { before, after }: DisparityPair): readonly Html[] {
  if (after === undefined) return [disparityCell(name, before)];
  return [disparityCell(name, before), disparityCell(name, after), changeCell(name, { before, after })];
}

function changeCell(name: DisparityName, pair: { before: Disparity; after: Disparity }): Html {
  const before = shownDisparity(pair.before);
  const after = shownDisparity(pair.after);
  if (before === null || after === null) return numberCell(undefinedText());
  const movement = movementOf(name, before, after);
  return numberCell(signed(after - before), movement === 'same' ? 'same to three decimals' : movement);
}
