import type { ControlRow, Estimate, MethodRow } from './summary.ts';

const MINUS = '\u2212';

export function signed(value: number): string {
  const text = Math.abs(value).toFixed(3);
  if (Number(text) === 0) return text;
  return value < 0 ? `${MINUS}${text}` : `+${text}`;
}

const NONE = '–';

function withInterval(estimate: Estimate | null): string {
  if (estimate === null) return NONE;
  return `${signed(estimate.value)} (${signed(estimate.low)} to ${signed(estimate.high)})`;
}

function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const ruler = header.map((_, place) => (place === 0 ? '---' : '---:'));
  return [header, ruler, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** One scenario: a row per method, means over seeds. */
export function methodTable(rows: readonly MethodRow[]): string {
  const header = [
    'method',
    'disparity after',
    'difference from untouched (95 %)',
    'AUC, difference (95 %)',
    'lowest TPR of a group',
    'improved',
    'epochs',
    'weights moved',
  ];
  return markdown(
    header,
    rows.map((row) => {
      if (row.after === null) return [row.method, row.note, ...Array(header.length - 2).fill(NONE)];
      const { mean, lowest, highest } = row.after;
      const after = row.seeds === 1 ? mean.toFixed(3) : `${mean.toFixed(3)} (${lowest.toFixed(3)}–${highest.toFixed(3)})`;
      const isReference = row.method === 'untouched';
      return [
        row.method,
        after,
        isReference ? NONE : withInterval(row.disparity),
        isReference ? NONE : withInterval(row.auc),
        row.lowestTruePositiveRate.toFixed(3),
        isReference ? NONE : `${row.improved} of ${row.seeds}`,
        row.epochs.toFixed(1),
        String(Math.round(row.parametersTouched)),
      ];
    }),
  );
}

/** The tuned mask against what has no mask, a random one, or one of ones. */
export function controlTable(rows: readonly ControlRow[]): string {
  return markdown(
    ['method against control', 'disparity (95 %)', 'AUC (95 %)', 'seeds'],
    rows.map(({ method, control, disparity, auc, seeds }) => [
      `${method} − ${control}`,
      withInterval(disparity),
      withInterval(auc),
      String(seeds),
    ]),
  );
}
