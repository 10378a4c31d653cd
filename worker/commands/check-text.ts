import type { DataCheck } from '../../core/checks/types.ts';
import type { CheckedLines } from '../check-files.ts';
import { printable, textTable } from './tables.ts';

/** A check as plain text: verdict, findings with their repair, supports, what gaps can show, distance from training. */
export function checkText(check: DataCheck): string {
  const { verdict, findings, reach, notChecked = [] } = check;
  const found = notChecked.length > 0 ? 'nothing was found in what could be checked' : 'nothing was found';
  const first = findings.length === 0 ? `${verdict}: ${found}` : verdict;
  return [
    first,
    ...findings.map(({ severity, code, reason, repair }) =>
      [
        severity === 'unfit' ? `UNFIT ${code}` : `CARE ${code}`,
        `  ${printable(reason)}`,
        `  → ${printable(repair)}`,
      ].join('\n'),
    ),
    ...(notChecked.length === 0
      ? []
      : [['NOT CHECKED', ...notChecked.map((each) => `  ${each}`)].join('\n')]),
    cellTable(check),
    textTable(
      [
        ['part', 'feature', 'rate', 'smallest gap it could show', 'between'],
        ...reach.map(({ part, sensitiveFeature, rate, gap, groups }) => [
          part,
          sensitiveFeature,
          rate === 'truePositiveRate' ? 'TPR' : 'FPR',
          gap === null ? 'cannot be told' : gap.toFixed(2),
          groups.join(', '),
        ]),
      ],
      'left',
    ),
    ...distanceText(check),
  ].join('\n\n');
}

function cellTable({ cells }: DataCheck): string {
  const parts = [...new Set(cells.map(({ part }) => part))];
  const keys = [
    ...new Set(cells.map(({ sensitiveFeature, group }) => JSON.stringify([sensitiveFeature, group]))),
  ];
  const rows = keys.map((key) => {
    const [feature, group] = JSON.parse(key) as [string, string];
    const own = cells.filter((cell) => cell.sensitiveFeature === feature && cell.group === group);
    const supports = parts.map((part) =>
      ([1, 0] as const)
        .map((label) => own.find((cell) => cell.part === part && cell.label === label)?.support ?? 0)
        .join(' / '),
    );
    return [feature, group, ...supports];
  });
  const header = ['feature', 'group', ...parts.map((part) => `${part}: label 1 / 0`)];
  return textTable([header, ...rows], 'left');
}

function distanceText({ distance }: DataCheck): string[] {
  if (distance === null) return [];
  const { whole, groups } = distance;
  const byGroup = groups.map((each) =>
    each.distance === null ? `${each.group} not known` : `${each.group} ${each.distance.toFixed(2)}`,
  );
  return [
    printable(
      `distance from training: ${whole.distance.toFixed(2)} running standard deviations (${whole.byChance.toFixed(2)} by chance); ${byGroup.join(', ')}`,
    ),
  ];
}

/** Lines of the manifest, for the eyes of who asked alone. */
export function linesText({ duplicates, blank }: CheckedLines): string {
  const place = ({ part, line }: { part: string; line: number }) => printable(`${part} ${line}`);
  return [
    ...duplicates.map(
      ({ kind, rows }) => `${kind === 'exact' ? 'copies' : 'near-duplicates'}: ${rows.map(place).join(', ')}`,
    ),
    ...(blank.length === 0 ? [] : [`blank: ${blank.map(place).join(', ')}`]),
    ...(duplicates.length + blank.length === 0 ? ['no duplicates, no blank images'] : []),
  ].join('\n');
}
