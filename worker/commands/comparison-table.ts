import type { PairedDifference } from '../../core/jobs/run-record.ts';
import { isSame } from '../../core/report/facts/mask-verdict.ts';
import type { Comparison, MethodSummary } from '../methods/comparison.ts';
import { textTable } from './tables.ts';

/** A comparison as plain text: means, paired differences, cost, and whether the mask earned its keep. */
export function comparisonTable(comparison: Comparison): string {
  const { methods, seeds, reference, level, sensitiveFeature, metric, mask, isIndependent } = comparison;
  const ran = methods.filter(({ means }) => means !== null);
  const others = methods.filter(({ means }) => means === null);
  const percent = Math.round(100 * level);
  return [
    `${metric} by ${sensitiveFeature}, ${seeds.length} ${seeds.length === 1 ? 'seed' : 'seeds'}; means over seeds on the ${isIndependent ? 'test data' : 'select part, on which models were chosen as well: optimistic'}`,
    textTable([
      ['method', 'disparity', 'AUC', 'balanced accuracy', 'improved', 'epochs', 'seconds', 'parameters'],
      ...ran.map((summary) => meansRow(summary, seeds.length)),
    ]),
    `Paired differences from ${reference}, ${percent} % intervals over seeds and subjects`,
    textTable([
      ['method', 'disparity', 'AUC', 'balanced accuracy'],
      ...ran.flatMap(({ method, differences }) =>
        differences
          ? [
              [
                method,
                ...[differences.disparity, differences.auc, differences.balancedAccuracy].map(differenceText),
              ],
            ]
          : [],
      ),
    ]),
    ...(others.length > 0
      ? [others.map(({ method, reasons }) => `- ${method}: ${reasons.join('; ')}`).join('\n')]
      : []),
    ...(mask.length > 0 ? [mask.map(({ sentence }) => `- ${sentence}`).join('\n')] : []),
  ].join('\n\n');
}

function meansRow({ method, means, statuses, cost }: MethodSummary, seeds: number): string[] {
  return [
    method,
    number(means!.disparity),
    number(means!.auc),
    number(means!.balancedAccuracy),
    'reference' in statuses ? '' : `${statuses.improved ?? 0} of ${seeds}`,
    cost.epochs.toFixed(1),
    cost.seconds.toFixed(1),
    cost.parametersTouched.toFixed(0),
  ];
}

function differenceText({ value, interval }: PairedDifference): string {
  if (value === null) return 'n/a';
  if (isSame({ value, interval })) return 'same';
  const bounds = interval ? ` (${signed(interval.low)} to ${signed(interval.high)})` : '';
  return `${signed(value)}${bounds}`;
}

function number(value: number | null): string {
  return value === null ? 'n/a' : value.toFixed(3);
}

function signed(value: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(3)}`;
}
