import { startBackend } from '../../worker/backend.ts';
import { auditCoverage, type RowGroup } from './audited.ts';
import {
  aucAlarm,
  aucDifference,
  clusterDifference,
  coverageOf,
  equalizedOdds,
  falseAlarms,
  largestAucGap,
  largestRateGap,
  type OddsGroup,
  oneAuc,
  oneRate,
  plainAuc,
  type RateGroup,
  rateAlarm,
  rateDifference,
  rateRatio,
  redrawnDifference,
  redrawnOdds,
  type Scenario,
  type ScoreGroup,
  smallestRateRatio,
} from './scenarios.ts';

/**
 * How often 95 % intervals hold the truth, and how often tests at 5 % find a gap that is none, over simulated data
 * sets; prints the tables of docs/statistics.md.
 *
 *   npm run study:coverage -- [data sets per row, 1000 unless given]
 */
const dataSets = Number(process.argv[2] ?? 1000);
if (!Number.isInteger(dataSets) || dataSets < 1) {
  throw new Error(`data sets: expected a positive integer, received ${process.argv[2]}`);
}

const percent = (share: number) => (100 * share).toFixed(1);
const print = (line = '') => process.stdout.write(`${line}\n`);

function table(
  title: string,
  methods: readonly string[],
  rows: readonly (readonly [string, ...Scenario[]])[],
) {
  print(`\n${title}\n`);
  print(`| true rates or AUCs; rows | ${methods.join(' | ')} |`);
  print(`| --- |${methods.map(() => ' ---: |').join('')}`);
  for (const [name, ...scenarios] of rows) {
    const cells = scenarios.map((scenario) => {
      const { covered, below, above, undefinedCount } = coverageOf(scenario, dataSets);
      const without = undefinedCount > 0 ? `, none for ${percent(undefinedCount / dataSets)}` : '';
      return `${percent(covered)} (${percent(below)}, ${percent(above)}${without})`;
    });
    print(`| ${name} | ${cells.join(' | ')} |`);
  }
}

const groups = (n: number, ...rates: number[]): RateGroup[] => rates.map((p) => ({ n, p }));
const named = (all: readonly RateGroup[]) =>
  `${all.map(({ p }) => p).join(', ')}; ${[...new Set(all.map(({ n }) => n))].join(' and ')}`;

const pairs: (readonly [RateGroup, RateGroup])[] = [
  [
    { n: 20, p: 0.3 },
    { n: 20, p: 0.3 },
  ],
  [
    { n: 20, p: 0.8 },
    { n: 20, p: 0.6 },
  ],
  [
    { n: 20, p: 0.95 },
    { n: 20, p: 0.9 },
  ],
  [
    { n: 20, p: 0.3 },
    { n: 200, p: 0.5 },
  ],
  [
    { n: 30, p: 0.98 },
    { n: 200, p: 0.98 },
  ],
  [
    { n: 50, p: 0.1 },
    { n: 50, p: 0.3 },
  ],
  [
    { n: 50, p: 0.6 },
    { n: 50, p: 0.6 },
  ],
  [
    { n: 500, p: 0.2 },
    { n: 500, p: 0.3 },
  ],
];

table(
  'Rate',
  ['Wilson'],
  [
    [20, 0.05],
    [20, 0.3],
    [50, 0.9],
    [500, 0.5],
  ].map(([n, p]) => [`${p}; ${n}`, oneRate({ n: n!, p: p! })] as const),
);
table(
  'Difference of two rates',
  ['Newcombe', 'multinomial percentile', 'Dirichlet percentile'],
  pairs.map(([one, two]) => [
    named([one, two]),
    rateDifference(one, two),
    redrawnDifference(one, two, 'multinomial'),
    redrawnDifference(one, two, 'dirichlet'),
  ]),
);
table(
  'Ratio of two rates',
  ['MOVER-R', 'Katz'],
  pairs.map(([one, two]) => [named([one, two]), rateRatio(one, two, 'mover'), rateRatio(one, two, 'katz')]),
);
const several = [
  groups(20, 0.8, 0.8),
  groups(20, 0.8, 0.6),
  groups(20, 0.5, 0.4, 0.3),
  groups(50, 0.3, 0.3, 0.3),
  groups(40, 0.8, 0.75, 0.7, 0.65, 0.62, 0.6),
  groups(100, 0.6, 0.6, 0.6, 0.6, 0.6, 0.3),
  groups(400, 0.8, 0.75, 0.7, 0.65, 0.62, 0.6),
  [...groups(1000, 0.6, 0.55), ...groups(20, 0.4)],
];
table(
  'Largest gap and smallest ratio of a rate over groups',
  ['largest difference', 'smallest ratio'],
  several.map((all) => [named(all), largestRateGap(all), smallestRateRatio(all)]),
);

const odds = (n: number, ...rates: (readonly [number, number])[]): OddsGroup[] =>
  rates.map(([truePositiveRate, falsePositiveRate]) => ({ n, truePositiveRate, falsePositiveRate }));
const oddsRows: (readonly [string, OddsGroup[]])[] = [20, 40, 100, 400].flatMap((n) => [
  [`no gap, 0.8 and 0.2; ${n} each`, odds(n, [0.8, 0.2], [0.8, 0.2])],
  [`0.9 and 0.3, 0.6 and 0.2; ${n} each`, odds(n, [0.9, 0.3], [0.6, 0.2])],
  [`0.9 and 0.1, 0.8 and 0.2; ${n} each`, odds(n, [0.9, 0.1], [0.8, 0.2])],
]);
table(
  'Equalized odds difference: two groups; rows of both classes',
  ['largest of both', 'multinomial percentile', 'Dirichlet percentile'],
  [
    ...oddsRows,
    [
      'six groups, 0.8 to 0.6 and 0.2 to 0.3; 100 each',
      odds(100, [0.8, 0.2], [0.75, 0.3], [0.7, 0.25], [0.65, 0.2], [0.62, 0.3], [0.6, 0.25]),
    ] as const,
  ].map(([name, all]) => [
    name,
    equalizedOdds(all),
    redrawnOdds(all, 'multinomial'),
    redrawnOdds(all, 'dirichlet'),
  ]),
);

const scores = (
  positives: number,
  negatives: number,
  auc: number,
  shape: ScoreGroup['shape'] = 'normal',
) => ({
  positives,
  negatives,
  auc,
  shape,
});
const aucs: (readonly [string, ScoreGroup, ScoreGroup])[] = [
  ['0.8, 0.7; 10 + 10, 10 + 20', scores(10, 10, 0.8), scores(10, 20, 0.7)],
  ['0.8, 0.7; 20 + 20, 20 + 40', scores(20, 20, 0.8), scores(20, 40, 0.7)],
  ['0.95, 0.85; 20 + 20, 20 + 40', scores(20, 20, 0.95), scores(20, 40, 0.85)],
  ['0.8 wide, 0.8; 20 + 200, 50 + 200', scores(20, 200, 0.8, 'wide'), scores(50, 200, 0.8)],
  [
    '0.85 skewed, 0.85 skewed; 20 + 200, 20 + 400',
    scores(20, 200, 0.85, 'skewed'),
    scores(20, 400, 0.85, 'skewed'),
  ],
  ['0.95, 0.85; 20 + 200, 20 + 400', scores(20, 200, 0.95), scores(20, 400, 0.85)],
  ['0.98, 0.98; 20 + 200, 20 + 400', scores(20, 200, 0.98), scores(20, 400, 0.98)],
  ['0.9, 0.9; 50 + 50, 50 + 100', scores(50, 50, 0.9), scores(50, 100, 0.9)],
  ['0.8, 0.7; 200 + 200, 200 + 400', scores(200, 200, 0.8), scores(200, 400, 0.7)],
];
table(
  'AUC (of the first), and difference of two AUCs; positives + negatives',
  ['AUC', "AUC, DeLong's ± z σ", 'difference'],
  aucs.map(([name, one, two]) => [name, oneAuc(one), plainAuc(one), aucDifference(one, two)]),
);
table(
  'Largest gap of AUC over groups; positives + negatives',
  ['largest difference'],
  [
    ['0.8 in 2 groups; 20 + 40', largestAucGap([scores(20, 40, 0.8), scores(20, 40, 0.8)])],
    ['0.8, 0.7; 20 + 40', largestAucGap([scores(20, 40, 0.8), scores(20, 40, 0.7)])],
    ['0.8 in 6 groups; 30 + 60', largestAucGap(Array.from({ length: 6 }, () => scores(30, 60, 0.8)))],
    [
      '0.85 to 0.75 in 6 groups; 50 + 100',
      largestAucGap([0.85, 0.83, 0.81, 0.79, 0.77, 0.75].map((auc) => scores(50, 100, auc))),
    ],
  ],
);
table(
  'Difference of two rates, subjects of one to five rows; subjects',
  ['cluster bootstrap'],
  [20, 50, 200].map((subjects) => [
    `0.6, 0.4; ${subjects} each`,
    clusterDifference({ subjects, p: 0.6 }, { subjects, p: 0.4 }),
  ]),
);

print('\nFalse alarms of tests at 5 %\n');
print('| groups | % |\n| --- | ---: |');
const alarms: (readonly [string, Parameters<typeof falseAlarms>[0]])[] = [
  ['rates, two of 20 rows at 0.3', rateAlarm(groups(20, 0.3, 0.3))],
  ['rates, two of 20 rows at 0.1 (Fisher)', rateAlarm(groups(20, 0.1, 0.1))],
  ['rates, two of 200 rows at 0.3', rateAlarm(groups(200, 0.3, 0.3))],
  ['rates, six of 30 rows at 0.3', rateAlarm(groups(30, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3))],
  ['rates, six of 30 rows at 0.1 (permutation)', rateAlarm(groups(30, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1))],
  ['AUC 0.8, two of 20 + 20', aucAlarm([scores(20, 20, 0.8), scores(20, 20, 0.8)])],
  ['AUC 0.8, two of 20 + 200', aucAlarm([scores(20, 200, 0.8), scores(20, 200, 0.8)])],
  ['AUC 0.8, six of 20 + 20', aucAlarm(Array.from({ length: 6 }, () => scores(20, 20, 0.8)))],
  ['AUC 0.8, six of 50 + 100', aucAlarm(Array.from({ length: 6 }, () => scores(50, 100, 0.8)))],
  ['AUC 0.95, six of 20 + 40', aucAlarm(Array.from({ length: 6 }, () => scores(20, 40, 0.95)))],
  ['AUC 0.95, six of 100 + 200', aucAlarm(Array.from({ length: 6 }, () => scores(100, 200, 0.95)))],
];
for (const [name, pValue] of alarms) print(`| ${name} | ${percent(falseAlarms(pValue, dataSets))} |`);

/** Positive with chance 0.5 unless given; TPR and FPR of each group. */
const people = (rows: number, rates: readonly [number, number], baseRate = 0.5): RowGroup => ({
  rows,
  baseRate,
  truePositiveRate: rates[0],
  falsePositiveRate: rates[1],
});
const alike = (...rows: number[]) => rows.map((each) => people(each, [0.8, 0.2]));
const audits: readonly (readonly [string, readonly (readonly [string, RowGroup[]])[]])[] = [
  [
    'a group of 20 rows',
    [
      ['20, 20; none', alike(20, 20)],
      ['20, 20; gap', [people(20, [0.85, 0.2]), people(20, [0.65, 0.35])]],
      ['200, 20; none', alike(200, 20)],
      ['200, 20; gap', [people(200, [0.85, 0.15], 0.4), people(20, [0.6, 0.3], 0.4)]],
    ],
  ],
  [
    'two groups',
    [
      ['40, 40; none', alike(40, 40)],
      ['40, 40; gap', [people(40, [0.85, 0.2]), people(40, [0.65, 0.35])]],
      ['200, 200; none', alike(200, 200)],
      ['400, 60; gap', [people(400, [0.85, 0.15], 0.4), people(60, [0.7, 0.3], 0.3)]],
    ],
  ],
  [
    'four groups',
    [
      ['60 each; none', alike(60, 60, 60, 60)],
      [
        '60 each; gap',
        [[0.85, 0.15] as const, [0.8, 0.2] as const, [0.7, 0.3] as const, [0.65, 0.3] as const].map((rates) =>
          people(60, rates),
        ),
      ],
      ['400, 300, 200, 100; none', alike(400, 300, 200, 100)],
      [
        '400, 300, 200, 100; gap',
        [
          people(400, [0.85, 0.15]),
          people(300, [0.8, 0.2], 0.4),
          people(200, [0.75, 0.25], 0.4),
          people(100, [0.65, 0.3], 0.3),
        ],
      ],
    ],
  ],
];
await startBackend('cpu');
for (const [title, scenarios] of audits) {
  const coverages = scenarios.map(([, all]) => auditCoverage(all, { dataSets, replicates: 2_000 }));
  print(`\nAs the report prints them: ${title}\n`);
  print(`| figure | ${scenarios.map(([name]) => name).join(' | ')} |`);
  print(`| --- |${scenarios.map(() => ' ---: |').join('')}`);
  for (const figure of coverages[0]!.keys()) {
    const cells = coverages.map((coverage) => {
      const { covered, below, above, intervals, without } = coverage.get(figure)!;
      if (intervals === 0) return 'none';
      const lacking = without > 0 ? `, none for ${percent(without / (intervals + without))}` : '';
      return `${percent(covered)} (${percent(below)}, ${percent(above)}${lacking})`;
    });
    print(`| ${figure} | ${cells.join(' | ')} |`);
  }
}
