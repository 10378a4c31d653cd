import { describe, expect, test } from 'vitest';
import { clarifyMetricsOf } from '../../../../core/fairness/libraries/clarify.ts';
import {
  clarifyAnalysisNumbers,
  parseClarifyConfig,
} from '../../../../core/fairness/libraries/clarify-config.ts';
import type { FeatureAudit } from '../../../../core/fairness/types.ts';
import { inputFrom } from '../../../helpers/library-inputs.ts';

/** The example of the developer guide for a CSV data set, with its predictor. */
const EXAMPLE = {
  version: '1.0',
  dataset_type: 'text/csv',
  headers: ['feature_0', 'feature_1', 'feature_2', 'feature_3', 'target'],
  label: 'target',
  label_values_or_threshold: [1],
  probability_threshold: 0.7,
  facet: [
    { name_or_index: 'feature_1', value_or_threshold: [1] },
    { name_or_index: 2, value_or_threshold: [0.7] },
  ],
  group_variable: 'feature_3',
  methods: {
    shap: { baseline: [['yes', 3, 0.9, 1]], num_samples: 1000, agg_method: 'mean_sq' },
    pre_training_bias: { methods: 'all' },
    post_training_bias: { methods: 'all' },
    report: { name: 'report', title: 'Analysis Report' },
  },
  predictor: { model_name: 'my_model', instance_type: 'ml.m5.xlarge', initial_instance_count: 1 },
};
const parse = (changes: object = {}, header?: readonly string[]) =>
  parseClarifyConfig({ ...EXAMPLE, ...changes }, 'analysis_config.json', header);

describe('parseClarifyConfig', () => {
  test('maps columns, positive label, facets, strata and threshold of the documented example', () => {
    const { columns, threshold, facets, metrics } = parse();
    expect(columns).toEqual({
      label: 'target',
      positiveLabel: '1',
      sensitiveFeatures: ['feature_1', 'feature_2'],
      stratum: 'feature_3',
      // Clarify's facet is above 0.7, a bin begins at its edge
      bins: { feature_2: { edges: [0.7 + 2 ** -53] } },
    });
    expect(0.7 + 2 ** -53).toBeGreaterThan(0.7);
    expect(threshold).toBe(0.7);
    expect(facets).toEqual([
      { feature: 'feature_1', values: ['1'] },
      { feature: 'feature_2', values: [`>= ${0.7 + 2 ** -53}`] },
    ]);
    expect(metrics).toEqual([...clarifyMetricsOf('pre_training'), ...clarifyMetricsOf('post_training')]);
  });

  test('names every part that has no counterpart', () => {
    expect(parse().notes).toEqual([
      '"shap": feature attributions are not computed',
      '"report": its name and title are not used; --out writes a report',
      '"predictor": no model is called; predictions come from the table',
      '"predicted_label" is absent: say which column has predictions or scores, with --prediction or --score',
      '"probability_threshold": a score that equals it counts as positive here',
    ]);
  });

  test.each([
    [{ predicted_label: 'guess' }, 'guess'],
    [{ predicted_label: 3 }, 'feature_3'],
    [{ predicted_label: 1, predicted_label_headers: ['id', 'guess'] }, 'guess'],
    [{ predicted_label_headers: ['id', 'guess'], joinsource_name_or_index: 'id' }, 'guess'],
    [{ predicted_label_headers: ['a', 'b'] }, undefined],
  ])('finds the column of predictions: %j', (changes, expected) => {
    const { columns, notes } = parse(changes);
    expect(columns.prediction).toBe(expected);
    expect(notes.some((note) => note.includes('"predicted_label" is absent'))).toBe(expected === undefined);
  });

  test.each([
    [['yes'], { positiveLabel: 'yes' }],
    [['good', 'fair'], { positiveLabels: ['good', 'fair'] }],
    [[2.5], { labelThreshold: 2.5 }],
  ])('label values %j', (label_values_or_threshold, expected) => {
    expect(parse({ label_values_or_threshold }).columns).toMatchObject(expected);
  });

  test('takes chosen metrics, the join column, and names of the table for columns that are counted', () => {
    const methods = { pre_training_bias: { methods: ['CI', 'DPL'] } };
    const facet = [{ name_or_index: 0, value_or_threshold: [-0.5] }, { name_or_index: 1 }];
    const { headers: _, ...config } = { ...EXAMPLE, methods, facet, label: 2, joinsource_name_or_index: 3 };
    const { columns, metrics, joinColumn, facets } = parseClarifyConfig(
      { ...config, group_variable: undefined },
      'analysis_config.json',
      ['age', 'sex', 'y', 'id'],
    );
    expect([columns.label, joinColumn, metrics]).toEqual(['y', 'id', ['CI', 'DPL']]);
    expect(columns.bins).toEqual({ age: { edges: [-0.5 + 2 ** -54] } });
    expect(facets[1]).toEqual({ feature: 'sex' });
  });

  test.each<[string, object, RegExp]>([
    [
      'a type that is no table',
      { dataset_type: 'application/x-image' },
      /"dataset_type" must be one of "text\/csv"/,
    ],
    ['no label', { label: undefined }, /"label" is missing/],
    ['no facet', { facet: [] }, /"facet" must have at least 1 entry, received a list of 0/],
    ['an unknown key', { lable: 'y' }, /unknown key "lable"/],
    [
      'an unknown metric',
      { methods: { pre_training_bias: { methods: ['CJ'] } } },
      /"methods\.pre_training_bias\.methods/,
    ],
    [
      'no bias metric',
      { methods: { shap: {} } },
      /"methods" must have "pre_training_bias" or "post_training_bias", received "shap"/,
    ],
    [
      'a column beyond the headers',
      { label: 9 },
      /analysis_config\.json: "label" must be below 5, the number of headers, received 9/,
    ],
    [
      'a column that is counted without headers',
      { headers: undefined, facet: [{ name_or_index: 4 }] },
      /"facet\[0\]\.name_or_index" must be the name of a column, or "headers" given, received 4/,
    ],
    [
      'a path into nested JSON',
      { dataset_type: 'application/jsonlines', label: 'data.label' },
      /"label" must be the key of a field of each line, received the path "data\.label"/,
    ],
  ])('refuses %s', (_, changes, message) => {
    expect(() => parse(changes)).toThrow(message);
    expect(() => parse(changes)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });
});

describe('clarifyAnalysisNumbers', () => {
  const rows = {
    labels: [1, 1, 0, 0, 1, 0, 0, 0],
    predictions: [1, 0, 0, 0, 1, 1, 0, 0],
    groups: ['A', 'A', 'A', 'A', 'B', 'B', 'C', 'C'],
    reference: 'A',
  };
  const featureOf = (changes: object = {}): FeatureAudit =>
    ({ ...inputFrom({ ...rows, ...changes }), sensitiveFeature: 'feature_1' }) as unknown as FeatureAudit;
  const ofFacet = (value_or_threshold?: unknown[]) =>
    parse({
      facet: [{ name_or_index: 'feature_1', value_or_threshold }],
      methods: { post_training_bias: { methods: ['DPPL'] } },
    });

  test('prints the facet that the analysis names, or each group by itself', () => {
    expect(clarifyAnalysisNumbers(ofFacet(['B', 'C']), featureOf())).toMatchObject([
      { name: 'DPPL', group: 'B,C', value: 1 / 4 - 2 / 4 },
    ]);
    expect(clarifyAnalysisNumbers(ofFacet(), featureOf()).map(({ group }) => group)).toEqual(['A', 'B', 'C']);
  });

  test.each<[string, unknown[], object, RegExp]>([
    [
      'a value that no row has',
      ['Z'],
      {},
      /facet "feature_1": expected values of groups .* received "Z", which no/,
    ],
    [
      'a number in a column that Clarify takes for continuous',
      [20],
      { groups: ['18', '20', '21', '30', '40', '41', '42', '50'] },
      /received "20", which Clarify takes for a threshold if the column is continuous: give it as bins/,
    ],
  ])('refuses %s', (_, values, changes, message) => {
    expect(() => clarifyAnalysisNumbers(ofFacet(values), featureOf(changes))).toThrow(message);
  });

  test('takes a whole number for a value where few groups have many rows', () => {
    const groups = rows.groups.map((group) => (group === 'A' ? '0' : '1'));
    expect(clarifyAnalysisNumbers(ofFacet([1]), featureOf({ groups, reference: '0' }))).toMatchObject([
      { group: '1', value: 1 / 4 - 2 / 4 },
    ]);
  });
});
