import type { PairedDifference } from '../../../core/jobs/run-record.ts';
import { isSame } from '../../../core/report/facts/mask-verdict.ts';
import type { MethodRow, ScenarioSummary } from './summary.ts';

const MINUS = '\u2212';
const NONE = '–';

function signed(value: number): string {
  const text = Math.abs(value).toFixed(3);
  if (Number(text) === 0) return text;
  return value < 0 ? `${MINUS}${text}` : `+${text}`;
}

export function differenceText({ value, interval }: PairedDifference): string {
  if (value === null) return 'not defined';
  if (isSame({ value, interval })) return 'same';
  if (interval === null) return `${signed(value)} (no interval)`;
  return `${signed(value)} (${signed(interval.low)} to ${signed(interval.high)})`;
}

function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const ruler = header.map((_, place) => (place === 0 ? '---' : '---:'));
  return [header, ruler, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const COLUMNS = [
  'method',
  'disparity',
  'from untouched (95 %)',
  'AUC',
  'from untouched (95 %)',
  'lowest TPR',
  'improved',
  'epochs',
  'weights',
];

/** One scenario: a row per method, means over seeds. */
export function methodTable({ rows }: Pick<ScenarioSummary, 'rows'>): string {
  return markdown(COLUMNS, rows.map(methodCells));
}

function methodCells(row: MethodRow): string[] {
  const { method, means, differences, range, seeds, improved, cost } = row;
  if (means === null || range === null) {
    const status = Object.keys(row.statuses).join(', ');
    return [method, status, ...Array.from({ length: COLUMNS.length - 2 }, () => NONE)];
  }
  const isOne = range[0].toFixed(3) === range[1].toFixed(3);
  const spread = isOne ? '' : ` (${range[0].toFixed(3)}–${range[1].toFixed(3)})`;
  return [
    method,
    means.disparity === null ? 'not defined' : `${means.disparity.toFixed(3)}${spread}`,
    differences === null ? NONE : differenceText(differences.disparity),
    means.auc === null ? 'not defined' : means.auc.toFixed(3),
    differences === null ? NONE : differenceText(differences.auc),
    row.lowestTruePositiveRate === null ? 'not defined' : row.lowestTruePositiveRate.toFixed(3),
    differences === null ? NONE : `${improved} of ${seeds}`,
    cost.epochs.toFixed(1),
    String(Math.round(cost.parametersTouched)),
  ];
}

/** Masks against what has no mask, a random one, or one of ones. */
export function controlTable({ mask }: Pick<ScenarioSummary, 'mask'>): string {
  return markdown(
    ['mask − control', 'disparity (95 %)', 'AUC (95 %)', 'the mask is'],
    mask.map(({ method, control, disparity, auc, effect }) => [
      `${method} − ${control}`,
      differenceText(disparity),
      differenceText(auc),
      { lower: 'better', higher: 'worse', undecided: 'not told apart' }[effect],
    ]),
  );
}
