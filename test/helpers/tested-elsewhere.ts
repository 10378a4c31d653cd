/** Sources whose test does not lie at the mirrored path, with the test that has them and why. */
export const TESTED_ELSEWHERE: Readonly<Record<string, string>> = {
  'core/fairness/audit-defaults.ts': 'test/core/fairness/audit.test.ts: audits that say nothing else',
  ...Object.fromEntries(
    [
      'activations',
      'comparisons',
      'duplicates',
      'group-probe',
      'labels',
      'pictures',
      'sets',
      'shifts',
      'subjects',
      'two-sets',
      'words',
    ].map((name) => [
      `core/checks/${name}.ts`,
      'test/core/checks/check-data.test.ts: each finding by a defect that was planted',
    ]),
  ),
  'core/data/image-patches.ts': 'test/core/data/image-facts.test.ts: what is made of one transform',
  'worker/check-files.ts': 'test/worker/commands/check.test.ts: what the command does, on files',
  'worker/check-parts.ts': 'test/worker/commands/check.test.ts: what the command does, on files',
  'worker/image-facts-store.ts': 'test/worker/commands/check.test.ts: images that are decoded once',
  'core/data/attributes.ts': 'test/core/data/predictions.test.ts: groups of one table and of two',
  'core/data/slots.ts': 'test/core/data/predictions.test.ts: columns that are checked as they are read',
  'core/data/tables/batch.ts': 'test/core/data/tables/rows.test.ts: what every format gives, by way of two',
  'core/data/tables/columns-found.ts': 'test/core/data/table.test.ts: columns of every format',
  'core/data/tables/csv.ts': 'test/core/data/table.test.ts: the format by what is read and refused',
  'core/data/tables/parquet/codecs.ts': 'test/core/data/tables/parquet/file.test.ts: a file by each codec',
  'core/data/tables/parquet/column-chunk.ts':
    'test/core/data/tables/parquet/file.test.ts: pages of whole and damaged files',
  'core/data/tables/parquet/page.ts': 'test/core/data/tables/parquet/file.test.ts: a file of each encoding',
  'core/data/tables/parquet/schema.ts':
    'test/core/data/tables/parquet/file.test.ts: columns that are refused',
  'core/data/tables/parquet/sinks.ts': 'test/core/data/tables/parquet/file.test.ts: values of each type',
  'core/data/types.ts': 'test/core/data/samples.test.ts: types and the name of one group',
  'core/model/formats/keras/layers/function-layer.ts':
    'test/core/model/formats/keras/layers/index.test.ts: half of the layers are made of it',
  'core/model/formats/keras/layers/merges.ts':
    'test/core/model/formats/keras/layers/index.test.ts: each in one network',
  'core/model/formats/keras/layers/spec.ts':
    'test/core/model/formats/keras/build.test.ts: what a layer is made of, and messages about it',
  'core/model/formats/layers-classifier.ts':
    'test/core/model/formats/tfjs-layers.test.ts: what all formats of tfjs-layers have in common',
  'core/errors.ts':
    'test/worker/bad-inputs.test.ts: every class by the message and the code that a user gets',
  'worker/audit-sets.ts': 'test/worker/run-job.test.ts: several sets audited before and after a mitigation',
  'worker/audited-set.ts': 'test/worker/parts.test.ts: the sets that rows are divided into',
  'worker/select-subset.ts': 'test/worker/commands/select.test.ts: what the command does, on files',
  ...Object.fromEntries(
    [
      'check-decision',
      'check-files',
      'check-mask',
      'check-model',
      'check-outcome',
      'check-scores',
      'read-run',
      'verify-further',
    ].map((name) => [
      `worker/verify/${name}.ts`,
      'test/worker/verify/verify-run.test.ts: each by the manipulations of a run folder that it finds',
    ]),
  ),
  'worker/audit-files.ts': 'test/worker/commands/audit.test.ts: what the command does, on files',
  'worker/methods/method.ts':
    'test/worker/methods/group-thresholds.test.ts: types, and why one feature is asked for',
  'worker/methods/released.ts': 'test/worker/methods/run-method.test.ts: the same as mitigate gives',
  'worker/compare-files.ts': 'test/worker/commands/compare.test.ts: what the command does, on files',
  'worker/commands/comparison-table.ts': 'test/worker/commands/compare.test.ts: what the command prints',
  'worker/methods/result-store.ts': 'test/worker/commands/compare.test.ts: an interrupted comparison goes on',
  'worker/methods/names.ts': 'test/worker/methods/registry.test.ts: names and methods are the same',
  'worker/methods/diff-bias.ts': 'test/worker/methods/fine-tune.test.ts: a step of every fine-tuning',
  'worker/methods/group-dro.ts': 'test/worker/methods/fine-tune.test.ts: a step of every fine-tuning',
  'worker/methods/reweighting.ts': 'test/worker/methods/fine-tune.test.ts: a step of every fine-tuning',
  'worker/methods/untouched.ts': 'test/worker/methods/run-method.test.ts: the reference',
  'worker/explain/masks.ts': 'test/worker/explain/explain.test.ts: halves, draws and batch sizes of a run',
  'worker/explain/options.ts': 'test/worker/bmft/options.test.ts: ranges of every number of the method',
  'worker/explain/states.ts': 'test/worker/explain/explain.test.ts: what is read before and after',
  'worker/search/train-settings.ts':
    'test/worker/search/share.test.ts: every setting of a search, alone and in turns',
  'worker/mitigate-files.ts': 'test/worker/commands/mitigate.test.ts: what the command does, on files',
  ...Object.fromEntries(
    [
      'classes',
      'comparisons',
      'cross-auc',
      'drift',
      'explorer',
      'heat-map',
      'method',
      'policy',
      'scores',
    ].map((name) => [
      `core/report/audit/${name}.ts`,
      'test/core/report/audit-report.test.ts: sections of whole reports, in both languages',
    ]),
  ),
  ...Object.fromEntries(
    ['english', 'english-evidence', 'japanese', 'japanese-evidence', 'japanese-words'].map((name) => [
      `core/report/language/${name}.ts`,
      'test/core/report/language/language.test.ts: both languages say the same',
    ]),
  ),
  ...Object.fromEntries(
    ['ai-act', 'audit-facts', 'tripod-ai'].map((name) => [
      `core/report/exports/${name}.ts`,
      'test/core/report/exports/checklist.test.ts: both checklists of one audit',
    ]),
  ),
  'core/report/exports/markdown.ts': 'test/core/report/exports/model-card.test.ts: hostile names and figures',
  'core/fairness/libraries/aequitas.ts': 'test/core/fairness/libraries/index.test.ts: worked tables',
  'core/fairness/libraries/aif360.ts': 'test/core/fairness/libraries/index.test.ts: worked tables',
  'core/fairness/libraries/clarify.ts': 'test/core/fairness/libraries/index.test.ts: worked tables',
  'core/fairness/libraries/fairlearn.ts': 'test/core/fairness/libraries/index.test.ts: worked tables',
  'core/fairness/libraries/holisticai.ts': 'test/core/fairness/libraries/index.test.ts: worked tables',
  'core/fairness/libraries/image-benchmarks.ts': 'test/core/fairness/libraries/index.test.ts: worked tables',
  'core/fairness/libraries/oxonfair.ts': 'test/core/fairness/libraries/index.test.ts: worked tables',
  'core/fairness/libraries/label-distances.ts':
    'test/core/fairness/libraries/index.test.ts: distances by both conventions',
  'core/fairness/libraries/ours.ts':
    'test/core/fairness/libraries/index.test.ts: our column beside each number',
  'core/fairness/libraries/pool.ts':
    'test/core/fairness/libraries/index.test.ts: groups in rows, in weights and together',
  'core/fairness/types.ts': 'test/core/fairness/disparity.test.ts: types and the lists of their names',
  'core/fairness/cluster-variance.ts': 'test/core/fairness/subject-cells.test.ts: audits of rows in clusters',
  'core/fairness/comparisons.ts': 'test/core/fairness/gap-intervals.test.ts: gaps with and without sign',
  'core/fairness/estimators.ts': 'test/core/fairness/gap-intervals.test.ts: intervals of every figure',
  'core/fairness/evidence.ts': 'test/core/fairness/gap-intervals.test.ts: tests and their adjustment',
  'core/fairness/feature-audit.ts': 'test/core/fairness/audit.test.ts: what an audit is made of',
  'core/fairness/feature-table.ts': 'test/core/fairness/accumulator.test.ts: what was counted, by group',
  'core/fairness/growable.ts': 'test/core/fairness/accumulator.test.ts: rows in chunks',
  'core/fairness/histogram-scores.ts': 'test/core/fairness/accumulator.test.ts: beyond the exact rows',
  'core/fairness/intersection.ts': 'test/core/fairness/accumulator.test.ts: features of two attributes',
  'core/fairness/measure.ts': 'test/core/fairness/reference.test.ts: figures of groups as published',
  'core/fairness/reference-group.ts': 'test/core/fairness/grouping.test.ts: groups and their reference',
  'core/fairness/row-scores.ts': 'test/core/fairness/accumulator.test.ts: up to the exact rows',
  'core/fairness/score-column.ts': 'test/core/fairness/score-figures.test.ts: scores of rows and of weights',
  'core/fairness/warnings.ts': 'test/core/fairness/audit.test.ts: small cells and absent classes',
  ...Object.fromEntries(
    ['channels', 'composition', 'occlusion', 'probes', 'stability'].map((name) => [
      `core/report/explained/${name}.ts`,
      'test/core/report/sections/mask-explained.test.ts: every part of the section',
    ]),
  ),
};
