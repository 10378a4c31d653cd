import { setFigures } from '../../core/fairness/set-figures.ts';
import type {
  CandidateRecord,
  Cell,
  CurvePoint,
  MaskLayer,
  Outcome,
  RunRecord,
} from '../../core/jobs/run-record.ts';
import { type Html, render } from '../../core/report/text/html.ts';
import { auditOf, featureOf, groupOf } from './report-audits.ts';

/** TPR 20/80 against 90/100, FPR 38/397 against 54/300: equalised odds difference 0.900 − 0.250 = 0.650. */
export const TWO_GROUPS_BEFORE = auditOf([
  featureOf('sex', [groupOf('female', [20, 38, 359, 60], 0.681), groupOf('male', [90, 54, 246, 10], 0.842)]),
]);

/** TPR 54/80 against 76/100, FPR 48/397 against 45/300: equalised odds difference 0.760 − 0.675 = 0.085. */
export const TWO_GROUPS_AFTER = auditOf(
  [
    featureOf('sex', [
      groupOf('female', [54, 48, 349, 26], 0.762),
      groupOf('male', [76, 45, 255, 24], 0.828),
    ]),
  ],
  { threshold: 0.437, auc: 0.77 },
);

/** Five age groups, one without positives and one of four samples, and three skin tones. */
export const FIVE_GROUPS = auditOf(
  [
    featureOf('age group', [
      groupOf('0–19', [0, 6, 118, 0], null),
      groupOf('20–39', [31, 22, 301, 19], 0.803),
      groupOf('40–59', [88, 41, 512, 27], 0.851),
      groupOf('60–79', [140, 77, 388, 31], 0.829),
      groupOf('80+', [1, 1, 1, 1], 0.5),
    ]),
    featureOf('skin tone', [
      groupOf('I–II', [151, 79, 812, 38], 0.849),
      groupOf('III–IV', [98, 57, 431, 33], 0.822),
      groupOf('V–VI', [11, 11, 77, 7], 0.744),
    ]),
  ],
  { warnings: ['age group: the group "0–19" has no positives, so its true positive rate is not defined.'] },
);

export const HOSTILE_NAMES = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(2)>',
  `an extraordinarily long name of a group, ${'which goes on and on, '.repeat(6)}and ends in A`,
  `an extraordinarily long name of a group, ${'which goes on and on, '.repeat(6)}and ends in B`,
  'WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW',
  '女性・６０歳以上',
  'نساء فوق الستين',
  'жінки 👩🏽‍⚕️ 60+',
  '\u202eevil\u0000',
  '',
] as const;

export const HOSTILE_AUDIT = auditOf([
  featureOf(
    'group <b>&amp;</b> `x`',
    HOSTILE_NAMES.map((name, index) =>
      groupOf(name, [20 + 5 * index, 10, 900 - 70 * index, 30], 0.7 + index / 50),
    ),
  ),
]);

function cellsOf(sizes: Readonly<Record<string, readonly [number, number]>>): Cell[] {
  return Object.entries(sizes).flatMap(([group, [positives, negatives]]): Cell[] => [
    { group, label: 1, support: positives },
    { group, label: 0, support: negatives },
  ]);
}

function curveOf(
  length: number,
  [start, end]: readonly [number, number],
  disparityStart: number,
): CurvePoint[] {
  return Array.from({ length }, (_, index) => {
    const progress = 1 - Math.exp((-4 * index) / length);
    const taskLoss = start + (end - start) * progress;
    const disparityLoss = disparityStart * (1 - 0.85 * progress);
    return { step: index + 1, taskLoss, disparityLoss, loss: taskLoss + disparityLoss };
  });
}

const LAYERS: readonly MaskLayer[] = [
  { parameter: 'conv2d_1/kernel', size: 432, selected: 301 },
  { parameter: 'conv2d_1/bias', size: 16, selected: 0, note: 'constant importance' },
  { parameter: 'conv2d_2/kernel', size: 4608, selected: 2210 },
  { parameter: 'conv2d_2/bias', size: 32, selected: 11 },
  { parameter: 'dense_1/kernel', size: 131_072, selected: 64_400 },
  { parameter: 'dense_1/bias', size: 64, selected: 64 },
];

export const HARD_MASK = {
  isApplied: true,
  kind: 'hard',
  percentile: 50,
  selected: 66_986,
  total: 136_224,
  layers: LAYERS,
  stability: 0.712,
} as const;

export const SOFT_MASK = {
  ...HARD_MASK,
  kind: 'soft',
  percentile: null,
  selected: 51_234.56,
  stability: 0.38,
} as const;

function candidateOf(
  id: string,
  [disparity, auc]: readonly [number | null, number | null],
  rest: Partial<CandidateRecord> = {},
): CandidateRecord {
  const groups = [
    { group: 'female', auc, truePositiveRate: 0.61, falsePositiveRate: 0.12 },
    { group: 'male', auc: 0.83, truePositiveRate: 0.74, falsePositiveRate: null },
  ];
  const select = { disparity, auc, balancedAccuracy: 0.701, threshold: 0.437, groups };
  return { id, kind: 'bmft', settings: {}, select, violations: [], isChosen: false, ...rest };
}

export const CANDIDATES: readonly CandidateRecord[] = [
  candidateOf('original', [0.63, 0.724], { kind: 'original' }),
  candidateOf('bmft-p50-l1', [0.18, 0.771], {
    settings: { percentile: 50, lambda: 1, learningRate: 0.0001 },
    isChosen: true,
  }),
  candidateOf('bmft-p50-l10', [0.09, 0.651], {
    settings: { percentile: 50, lambda: 10, learningRate: 0.0001 },
    violations: ['AUC fell by 0.073, at most 0.020 is allowed', 'TPR of male fell by 0.31'],
  }),
  candidateOf('bmft-p75-l1', [0.31, 0.765], {
    settings: { percentile: 75, lambda: 1, learningRate: 0.0001 },
  }),
  candidateOf('bmft-p75-l10', [0.22, 0.742], {
    settings: { percentile: 75, lambda: 10, learningRate: 0.001 },
  }),
  candidateOf('random-mask', [0.41, 0.758], {
    kind: 'control',
    settings: { percentile: 50, lambda: 1, seed: 7 },
  }),
  candidateOf('head-refit-only', [0.52, 0.731], { kind: 'control', settings: { refit: true } }),
  candidateOf('all-ones', [0.29, 0.688], {
    kind: 'control',
    settings: { lambda: 1 },
    violations: ['AUC fell by 0.036, at most 0.020 is allowed'],
  }),
  candidateOf('bmft-p95-l10', [null, 0.7], {
    settings: { percentile: 95, lambda: 10 },
    violations: ['disparity is not defined'],
  }),
];

const SET_TARGET = {
  sensitiveFeature: 'sex',
  metric: 'equalizedOddsDifference',
  missingGroup: '(missing)',
} as const;

export const IMPROVED_RUN: RunRecord = {
  schemaVersion: 1,
  tool: { name: 'counterweight', version: '0.1.0' },
  environment: {
    backend: 'wasm',
    backendVersion: '4.22.0',
    backendDetail: 'SIMD, one thread, gradient kernels of this project',
    node: 'v20.20.2',
    platform: 'linux x64',
  },
  preset: 'robust',
  seed: 17,
  options: {
    percentiles: [50, 75, 95],
    lambdas: [1, 10],
    delta: 0.02,
    tau: 0.05,
    metric: 'equalizedOddsDifference',
    subject: null,
  },
  model: {
    name: 'skin-lesion-cnn',
    format: 'tfjs-layers',
    inputShape: [64, 64, 3],
    head: 'dense_2',
    bodyWeights: 136_224,
    headWeights: 65,
  },
  data: {
    rows: 2650,
    excluded: [
      { reason: 'no value for sex', rows: 14 },
      { reason: 'image cannot be decoded', rows: 3 },
    ],
    parts: [
      { name: 'tune', support: 1174, cells: cellsOf({ female: [104, 522], male: [131, 417] }) },
      { name: 'select', support: 582, cells: cellsOf({ female: [28, 282], male: [63, 209] }) },
      { name: 'test', support: 877, cells: cellsOf({ female: [80, 397], male: [100, 300] }) },
    ],
    auditedOn: 'test',
    isIndependent: true,
  },
  splits: { external: 'external', test: ['test'] },
  audited: [
    {
      name: 'test',
      source: 'split',
      support: 877,
      cells: cellsOf({ female: [80, 397], male: [100, 300] }),
      before: 'audit-before.json',
      after: 'audit-after.json',
      figures: {
        before: setFigures(TWO_GROUPS_BEFORE, SET_TARGET),
        after: setFigures(TWO_GROUPS_AFTER, SET_TARGET),
      },
    },
  ],
  outcome: {
    status: 'improved',
    sensitiveFeature: 'sex',
    metric: 'equalizedOddsDifference',
    before: 90 / 100 - 20 / 80,
    after: 76 / 100 - 54 / 80,
    aucBefore: 0.72,
    aucAfter: 0.77,
    reasons: [],
  },
  threshold: { value: 0.437, biasShift: 0 },
  mask: HARD_MASK,
  curves: { body: curveOf(10, [0.412, 0.371], 0.31), head: curveOf(180, [0.69, 0.352], 0.12) },
  candidates: CANDIDATES,
  inputs: [
    { name: 'manifest.csv', bytes: 181_204, sha256: 'a3'.repeat(32) },
    { name: 'model.json', bytes: 5210, sha256: '0f'.repeat(32) },
  ],
  outputs: [{ name: 'model/model.json', bytes: 5210, sha256: '9c'.repeat(32) }],
};

function runWith(status: Outcome, overrides: Partial<RunRecord>, reasons: readonly string[]): RunRecord {
  const before = status === 'rejected' ? null : IMPROVED_RUN.outcome.before;
  const outcome = { ...IMPROVED_RUN.outcome, status, before, after: null, aucAfter: null, reasons };
  return { ...IMPROVED_RUN, outcome, ...overrides };
}

/** Small data without a test part: audited on the part that chose, so not independent; nothing met the guard rails. */
export const NOT_IMPROVED_RUN = runWith(
  'not-improved',
  {
    data: {
      ...IMPROVED_RUN.data,
      rows: 2068,
      parts: [
        IMPROVED_RUN.data.parts[0]!,
        { name: 'select', support: 877, cells: cellsOf({ female: [80, 397], male: [100, 300] }) },
      ],
      auditedOn: 'select',
      isIndependent: false,
    },
    candidates: CANDIDATES.map((each) =>
      each.kind === 'original'
        ? each
        : { ...each, isChosen: false, violations: ['TPR of male fell by 0.140, at most 0.050 is allowed'] },
    ),
  },
  ['TPR of male fell by 0.140 or more in 8 of 8 candidates; at most 0.050 is allowed'],
);

export const REJECTED_RUN = runWith(
  'rejected',
  {
    data: {
      ...IMPROVED_RUN.data,
      parts: [{ name: 'test', support: 2633, cells: cellsOf({ female: [0, 1390], male: [240, 1003] }) }],
    },
    mask: null,
    curves: { body: [], head: [] },
    candidates: [],
    outputs: [],
  },
  ['group "female" has no positives (0 of 1,390); at least 20 are needed to measure its true positive rate'],
);

/** What a rejected run audited: no woman with a positive label. */
export const REJECTED_AUDIT = auditOf([
  featureOf('sex', [groupOf('female', [0, 97, 1293, 0], null), groupOf('male', [180, 120, 883, 60], 0.842)]),
]);

/** What a reader sees of a piece of markup: text without tags, entities resolved, white space folded. */
export function textOf(content: Html | string): string {
  const markup = typeof content === 'string' ? content : render(content);
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", '#96': '`', amp: '&' };
  return markup
    .replace(/<style>.*?<\/style>/gs, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(lt|gt|quot|#39|#96|amp);/g, (_, name) => entities[name]!)
    .replace(/[\s\u00a0]+/g, ' ')
    .trim();
}
