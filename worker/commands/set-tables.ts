import type { SetFigures } from '../../core/fairness/set-figures.ts';
import type { RunRecord } from '../../core/jobs/run-record.ts';
import { number, textTable } from './tables.ts';

/** Every audited set of a run, before and after: the table of the report as text. */
export function setsTable({ audited, outcome }: Pick<RunRecord, 'audited' | 'outcome'>): string {
  const header = ['set', 'model', 'support', outcome.metric, 'AUC', 'lowest TPR', 'groups without a label'];
  const rows = audited.flatMap(({ name, figures: { before, after } }) => [
    [name, 'before', ...figureCells(before)],
    ...(after === null ? [] : [[name, 'after', ...figureCells(after)]]),
  ]);
  return textTable([header, ...rows], 'left');
}

function figureCells({
  support,
  disparity,
  auc,
  worstTruePositiveRate: worst,
  emptyGroups,
}: SetFigures): string[] {
  return [
    String(support),
    figureText(disparity),
    figureText(auc),
    worst === null ? number(null) : `${number(worst.value)} (${worst.group})`,
    emptyGroups.join(', '),
  ];
}

function figureText({ value, interval }: SetFigures['auc']): string {
  return interval === null
    ? number(value)
    : `${number(value)} (${number(interval.low)} to ${number(interval.high)})`;
}
