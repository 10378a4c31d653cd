import * as z from 'zod';
import { quote } from '../../data/cells.ts';
import type { ColumnChoices } from '../../data/columns.ts';
import { makeBinning } from '../../data/groups/bins.ts';
import { parseWith } from '../../data/parse.ts';
import { MISSING_GROUP } from '../../data/types.ts';
import { InvalidInputError } from '../../errors.ts';
import type { FeatureAudit } from '../types.ts';
import { type ClarifyMetric, type ClarifyStage, clarifyMetricsOf, clarifyNumbers } from './clarify.ts';
import type { LibraryNumber } from './types.ts';

/** A column by its name, or by its place among the headers, from 0. */
const column = z.union([z.string().min(1), z.int().min(0)]);
const value = z.union([z.string(), z.number(), z.boolean()]);
const section = z.record(z.string(), z.unknown());

const metricsOf = (stage: ClarifyStage) =>
  z.strictObject({
    methods: z.union([z.literal('all'), z.array(z.enum([...clarifyMetricsOf(stage)])).min(1)]),
  });

const DATASET_TYPES = ['text/csv', 'application/jsonlines', 'application/x-parquet'] as const;

/** As the documentation of SageMaker Clarify and its Python SDK have it, version 1.0. */
const configSchema = z.strictObject({
  version: z.string().optional(),
  dataset_type: z.string().toLowerCase().pipe(z.enum(DATASET_TYPES)),
  dataset_uri: z.string().optional(),
  headers: z.array(z.string()).optional(),
  label: column,
  predicted_label: column.optional(),
  features: z.string().optional(),
  label_values_or_threshold: z.array(value).min(1),
  probability_threshold: z.number().min(0).max(1).optional(),
  facet: z
    .array(z.strictObject({ name_or_index: column, value_or_threshold: z.array(value).min(1).optional() }))
    .min(1),
  group_variable: column.optional(),
  facet_dataset_uri: z.string().optional(),
  facet_headers: z.array(z.string()).optional(),
  predicted_label_dataset_uri: z.string().optional(),
  predicted_label_headers: z.array(z.string()).optional(),
  joinsource_name_or_index: column.optional(),
  excluded_columns: z.array(column).optional(),
  segment_config: z.array(section).optional(),
  time_series_data_config: section.optional(),
  methods: z.strictObject({
    pre_training_bias: metricsOf('pre_training').optional(),
    post_training_bias: metricsOf('post_training').optional(),
    shap: section.optional(),
    pdp: section.optional(),
    asymmetric_shapley_value: section.optional(),
    report: section.optional(),
  }),
  predictor: section.optional(),
});
type Config = z.output<typeof configSchema>;

/** A facet: the groups that Clarify sets against all others; each group by itself where `values` is absent. */
interface Facet {
  readonly feature: string;
  readonly values?: readonly string[];
}

/** What a Clarify analysis asks for, in our terms. */
export interface ClarifyAnalysis {
  /** `prediction` is absent where Clarify would have called a model for it. */
  readonly columns: ColumnChoices;
  /** Score from which a prediction is positive, where the analysis names one. */
  readonly threshold?: number;
  /** Column that identifies a row in the second table, where the analysis has one. */
  readonly joinColumn?: string;
  readonly metrics: readonly ClarifyMetric[];
  readonly facets: readonly Facet[];
  /** Sentences about what the analysis asks for and does not get here. */
  readonly notes: readonly string[];
}

/**
 * The content of an `analysis_config.json` of SageMaker Clarify.
 *
 * @param config  parsed JSON
 * @param where   the file, to begin messages with
 * @param header  columns of the table, for an analysis that counts columns without naming them
 * @throws InvalidInputError naming the place, what was expected and what came
 */
export function parseClarifyConfig(
  config: unknown,
  where: string,
  header?: readonly string[],
): ClarifyAnalysis {
  const analysis = parseWith(configSchema, config, where);
  const nameOf = columnNames(analysis, where, header);
  const facets = analysis.facet.map((facet, index) => ({
    feature: nameOf(facet.name_or_index, `facet[${index}].name_or_index`),
    values: facet.value_or_threshold,
  }));
  const bins = Object.fromEntries(facets.flatMap(binOf));
  const prediction = predictionOf(analysis, nameOf);
  const { probability_threshold: threshold, group_variable, joinsource_name_or_index } = analysis;
  return {
    columns: {
      label: nameOf(analysis.label, 'label'),
      ...positiveLabels(analysis.label_values_or_threshold),
      sensitiveFeatures: facets.map(({ feature }) => feature),
      ...(prediction !== undefined && { prediction }),
      ...(group_variable !== undefined && { stratum: nameOf(group_variable, 'group_variable') }),
      ...(Object.keys(bins).length > 0 && { bins }),
    },
    ...(threshold !== undefined && { threshold }),
    ...(joinsource_name_or_index !== undefined && {
      joinColumn: nameOf(joinsource_name_or_index, 'joinsource_name_or_index'),
    }),
    metrics: chosenMetrics(analysis, where),
    facets: facets.map(({ feature, values }) => facetOf(feature, values, bins[feature]?.edges[0])),
    notes: notesOf(analysis, prediction),
  };
}

type ColumnNames = (nameOrIndex: string | number, place: string) => string;

function columnNames(
  { headers, dataset_type }: Config,
  where: string,
  header: readonly string[] = [],
): ColumnNames {
  const known = headers ?? header;
  const wrong = (place: string, expected: string, received: string) =>
    new InvalidInputError(`${where}: "${place}" must be ${expected}, received ${received}`, { where, place });
  return (nameOrIndex, place) => {
    if (typeof nameOrIndex === 'number') {
      const name = known[nameOrIndex];
      if (name !== undefined) return name;
      throw wrong(
        place,
        known.length === 0
          ? 'the name of a column, or "headers" given'
          : `below ${known.length}, the number of headers`,
        String(nameOrIndex),
      );
    }
    if (dataset_type !== 'application/jsonlines' || /^[^.[\](){}*|]+$/.test(nameOrIndex)) return nameOrIndex;
    throw wrong(place, 'the key of a field of each line', `the path ${quote(nameOrIndex)} into nested JSON`);
  };
}

/** A fraction is a threshold, which belongs to the negatives; anything else is a value of the column. */
function positiveLabels(values: Config['label_values_or_threshold']): Partial<ColumnChoices> {
  const threshold = thresholdOf(values);
  if (threshold !== null) return { labelThreshold: threshold };
  const texts = values.map(String);
  return texts.length === 1 ? { positiveLabel: texts[0]! } : { positiveLabels: texts };
}

const thresholdOf = (values: readonly unknown[] | undefined): number | null => {
  const [only] = values ?? [];
  return values?.length === 1 && typeof only === 'number' && !Number.isInteger(only) ? only : null;
};

interface GivenFacet {
  readonly feature: string;
  readonly values: readonly (string | number | boolean)[] | undefined;
}

/** Clarify's facet lies above its threshold, our bins begin at their edge: the next number of float64. */
function binOf({ feature, values }: GivenFacet): [string, { edges: number[] }][] {
  const threshold = thresholdOf(values);
  return threshold === null ? [] : [[feature, { edges: [nextAbove(threshold)] }]];
}

function nextAbove(number: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, number);
  view.setBigInt64(0, view.getBigInt64(0) + (number < 0 ? -1n : 1n));
  return view.getFloat64(0);
}

function facetOf(feature: string, values: GivenFacet['values'], edge: number | undefined): Facet {
  if (values === undefined) return { feature };
  if (edge === undefined) return { feature, values: values.map(String) };
  const { codeOf, groupNames } = makeBinning([edge]);
  return { feature, values: [groupNames[codeOf(edge)]!] };
}

function predictionOf(
  { predicted_label, predicted_label_headers, joinsource_name_or_index }: Config,
  nameOf: ColumnNames,
): string | undefined {
  if (predicted_label !== undefined) {
    if (typeof predicted_label === 'number' && predicted_label_headers !== undefined) {
      return predicted_label_headers[predicted_label] ?? nameOf(predicted_label, 'predicted_label');
    }
    return nameOf(predicted_label, 'predicted_label');
  }
  const others = (predicted_label_headers ?? []).filter((header) => header !== joinsource_name_or_index);
  return others.length === 1 ? others[0] : undefined;
}

function chosenMetrics({ methods }: Config, where: string): readonly ClarifyMetric[] {
  const chosen = (stage: ClarifyStage, part: { methods: 'all' | ClarifyMetric[] } | undefined) =>
    part?.methods === 'all' ? clarifyMetricsOf(stage) : (part?.methods ?? []);
  const metrics = [
    ...chosen('pre_training', methods.pre_training_bias),
    ...chosen('post_training', methods.post_training_bias),
  ];
  if (metrics.length > 0) return metrics;
  throw new InvalidInputError(
    `${where}: "methods" must have "pre_training_bias" or "post_training_bias", received ${Object.keys(methods).map(quote).join(', ') || 'no method'}`,
    { where, place: 'methods' },
  );
}

/** Parts that have no counterpart here, and why. */
const LEFT_OUT = {
  shap: 'feature attributions are not computed',
  pdp: 'partial dependence is not computed',
  asymmetric_shapley_value: 'feature attributions of time series are not computed',
  report: 'its name and title are not used; --out writes a report',
  predictor: 'no model is called; predictions come from the table',
  segment_config: 'metrics are over all rows, not by segment',
  time_series_data_config: 'time series are not analysed',
  dataset_uri: 'the table is the one on the command line',
  facet_dataset_uri: 'facets come from the table, or from a second one that is joined',
  predicted_label_dataset_uri: 'predicted labels come from the table, so both must be one',
} as const;

function notesOf(analysis: Config, prediction: string | undefined): string[] {
  const present = { ...analysis, ...analysis.methods };
  const left = Object.entries(LEFT_OUT)
    .filter(([part]) => present[part as keyof typeof LEFT_OUT] !== undefined)
    .map(([part, why]) => `"${part}": ${why}`);
  const asksForPredictions = analysis.methods.post_training_bias !== undefined && prediction === undefined;
  return [
    ...left,
    ...(asksForPredictions
      ? [
          '"predicted_label" is absent: say which column has predictions or scores, with --prediction or --score',
        ]
      : []),
    ...(analysis.probability_threshold === undefined
      ? []
      : ['"probability_threshold": a score that equals it counts as positive here']),
  ];
}

/** From this share of distinct values on, Clarify takes whole numbers for a continuous column. */
const CONTINUOUS_SHARE = 0.05;

/**
 * The numbers that the analysis asks for, of one feature.
 *
 * @throws InvalidInputError when a facet names a value that no row has, or that Clarify would take for a threshold
 */
export function clarifyAnalysisNumbers(
  analysis: ClarifyAnalysis,
  feature: FeatureAudit,
): readonly LibraryNumber[] {
  const { metrics } = analysis;
  const facets = analysis.facets.filter((facet) => facet.feature === feature.sensitiveFeature);
  const chosen = facets.flatMap(({ values }) => (values === undefined ? [] : [values]));
  for (const values of chosen) assertFacet(values, feature);
  return clarifyNumbers(feature, chosen.length < facets.length ? { metrics } : { metrics, facets: chosen });
}

function assertFacet(values: readonly string[], { sensitiveFeature, groups }: FeatureAudit): void {
  const names = groups.map(({ group }) => group).filter((name) => name !== MISSING_GROUP);
  const rows = groups.reduce((sum, { support }) => sum + support, 0);
  const areNumbers = names.every((name) => Number.isFinite(Number(name)));
  const isContinuous =
    areNumbers && (names.some((name) => name.includes('.')) || names.length >= CONTINUOUS_SHARE * rows);
  const unknown = values.find((name) => !names.includes(name));
  if (unknown === undefined && !(isContinuous && values.length === 1 && rows > 0 && names.length > 2)) return;
  throw new InvalidInputError(
    `facet ${quote(sensitiveFeature)}: expected values of groups of the table, received ${quote(unknown ?? values[0]!)}` +
      `${areNumbers ? ', which Clarify takes for a threshold if the column is continuous: give it as bins' : ', which no row has'}`,
    { where: 'facet', feature: sensitiveFeature },
  );
}
