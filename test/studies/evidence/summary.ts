import type { Comparison, MethodSummary } from '../../../worker/methods/comparison.ts';
import { compareResults } from '../../../worker/methods/comparison.ts';
import { INTERVALS } from '../../../worker/methods/paired.ts';
import type { MethodResult } from '../../../worker/methods/run-method.ts';
import type { Scenario } from './scenarios.ts';

const OPTIONS = { metric: 'equalizedOdds', reference: 'untouched', ...INTERVALS } as const;

/** A method's figures with what a mean over seeds hides. */
export interface MethodRow extends MethodSummary {
  readonly seeds: number;
  readonly improved: number;
  /** Of the disparity over seeds; null where the method has no figures. */
  readonly range: readonly [number, number] | null;
  /** Mean over seeds of the lowest true positive rate of a group. */
  readonly lowestTruePositiveRate: number | null;
}

/** What the study found in one scenario. */
export interface ScenarioSummary {
  readonly name: string;
  readonly title: string;
  /** Rows and subjects of the audited part in each seed. */
  readonly audited: readonly { readonly rows: number; readonly subjects: number }[];
  readonly rows: readonly MethodRow[];
  readonly mask: Comparison['mask'];
}

export function summarize(
  { name, title }: Pick<Scenario, 'name' | 'title'>,
  results: readonly MethodResult[],
): ScenarioSummary {
  const { methods, mask } = compareResults(results, OPTIONS);
  const reference = results.filter(({ method }) => method === OPTIONS.reference);
  return {
    name,
    title,
    audited: reference.map(({ decisions: { before } }) => ({
      rows: before.scores.length,
      subjects: new Set(before.rows.subjects).size,
    })),
    rows: methods.map((summary) => {
      const own = results.filter(({ method }) => method === summary.method);
      return { ...summary, ...extremesOf(own) };
    }),
    mask,
  };
}

function extremesOf(results: readonly MethodResult[]) {
  const after = results.flatMap((result) => (result.after === null ? [] : [result.after]));
  const disparities = after.flatMap(({ disparity }) => (disparity === null ? [] : [disparity]));
  const lowest = after.map(({ groups }) =>
    Math.min(...groups.flatMap(({ truePositiveRate: rate }) => (rate === null ? [] : [rate]))),
  );
  return {
    seeds: results.length,
    improved: results.filter(({ status }) => status === 'improved').length,
    range: disparities.length === 0 ? null : ([Math.min(...disparities), Math.max(...disparities)] as const),
    lowestTruePositiveRate:
      lowest.length === 0 ? null : lowest.reduce((sum, rate) => sum + rate, 0) / lowest.length,
  };
}
