import type { PairedDifference } from '../../core/jobs/run-record.ts';
import type { DisparityMetric } from '../../core/jobs/schema.ts';
import { effectOf, maskSentence } from '../../core/report/facts/mask-verdict.ts';
import { CONTROLS } from './names.ts';
import type { Compared } from './paired.ts';
import { COMPARED, pairedDifferences } from './paired.ts';
import { METHODS } from './registry.ts';
import type { MethodResult } from './run-method.ts';

export interface ComparisonOptions {
  readonly metric: DisparityMetric;
  /** Method that the others are held against. */
  readonly reference: string;
  readonly level: number;
  readonly replicates: number;
}

/** One method over its seeds. */
export interface MethodSummary {
  readonly method: string;
  readonly about: string;
  readonly source: string;
  /** How often each status came. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Means over seeds on the audited part; null where one is not defined. */
  readonly means: Readonly<Record<Compared, number | null>> | null;
  /** Against the reference. */
  readonly differences: Readonly<Record<Compared, PairedDifference>> | null;
  /** Means over seeds. */
  readonly cost: MethodResult['cost'];
  /** Why it has no figures, each sentence once. */
  readonly reasons: readonly string[];
}

/** A mask against a control of it. */
interface MaskFinding {
  readonly method: string;
  readonly control: string;
  readonly disparity: PairedDifference;
  readonly auc: PairedDifference;
  /** What the interval of the disparity says. */
  readonly effect: 'lower' | 'undecided' | 'higher';
  readonly sentence: string;
}

/** Content of `comparison.json`. It holds no rows. */
export interface Comparison extends ComparisonOptions {
  readonly schemaVersion: 1;
  readonly sensitiveFeature: string;
  readonly seeds: readonly number[];
  /** False when the audited part also steered training or selection. */
  readonly isIndependent: boolean;
  readonly methods: readonly MethodSummary[];
  /** Whether the masks earned their keep. */
  readonly mask: readonly MaskFinding[];
}

const MASKED = ['robust', 'bmft-released'];

/** Means, paired differences and costs of results in any order. */
export function compareResults(
  results: readonly MethodResult[],
  options: ComparisonOptions,
): Pick<Comparison, 'methods' | 'mask'> {
  const byMethod = new Map<string, MethodResult[]>();
  for (const result of results) byMethod.set(result.method, [...(byMethod.get(result.method) ?? []), result]);
  const reference = byMethod.get(options.reference) ?? [];
  return {
    methods: [...byMethod].map(([name, own]) => summarize(name, own, { reference, options })),
    mask: MASKED.flatMap((name) =>
      CONTROLS.flatMap((control) => {
        const [own, other] = [byMethod.get(name), byMethod.get(control)];
        return own && other ? [maskFinding(own, other, options)] : [];
      }),
    ),
  };
}

function summarize(
  name: string,
  results: readonly MethodResult[],
  { reference, options }: { reference: readonly MethodResult[]; options: ComparisonOptions },
): MethodSummary {
  const ran = results.filter(({ after }) => after !== null);
  const { about, source } = METHODS[name]!;
  const statuses = results.map(({ status }) => status);
  const isCompared = ran.length > 0 && name !== options.reference && reference.length > 0;
  return {
    method: name,
    about,
    source,
    statuses: Object.fromEntries(
      [...new Set(statuses)].map((status) => [status, statuses.filter((own) => own === status).length]),
    ),
    means: ran.length === 0 ? null : meansOf(ran),
    differences: isCompared ? differencesOf(ran, reference, options) : null,
    cost: {
      epochs: meanOf(ran.map(({ cost }) => cost.epochs)),
      seconds: meanOf(ran.map(({ cost }) => cost.seconds)),
      parametersTouched: meanOf(ran.map(({ cost }) => cost.parametersTouched)),
    },
    reasons: [...new Set(results.filter(({ after }) => after === null).flatMap(({ reasons }) => reasons))],
  };
}

function meansOf(results: readonly MethodResult[]): Record<Compared, number | null> {
  const means = COMPARED.map((figure) => {
    const values = results.map(({ after }) => after![figure]);
    return [figure, values.includes(null) ? null : meanOf(values as number[])];
  });
  return Object.fromEntries(means) as Record<Compared, number | null>;
}

/** Paired differences of results that ran. */
function differencesOf(
  method: readonly MethodResult[],
  reference: readonly MethodResult[],
  { metric, level, replicates }: ComparisonOptions,
): Record<Compared, PairedDifference> {
  const reached = (results: readonly MethodResult[]) =>
    results.flatMap(({ seed, after, decisions }) =>
      after === null || decisions.after === null
        ? []
        : [{ seed, figures: after, decisions: decisions.after }],
    );
  return pairedDifferences(reached(method), reached(reference), { metric, level, replicates, seed: 0 });
}

function maskFinding(
  method: readonly MethodResult[],
  control: readonly MethodResult[],
  options: ComparisonOptions,
): MaskFinding {
  const { disparity, auc } = differencesOf(method, control, options);
  const names = { method: method[0]!.method, control: control[0]!.method };
  const effect = effectOf(disparity.interval);
  return { ...names, disparity, auc, effect, sentence: maskSentence({ ...names, disparity, auc }, options) };
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
