import { holm } from '../fairness/statistics/multiple-tests.ts';
import type { GroupHistogram } from './score-histograms.ts';
import { confidences, energies, groupHistogram } from './score-histograms.ts';
import { separate } from './separation.ts';
import type { CheckedSet } from './sets.ts';
import { CHECK_LEVEL } from './shifts.ts';
import { type ClassifierTestResult, classifierTest, type MmdResult, mmdTest } from './two-sample.ts';
import type { Finding } from './types.ts';
import { percentText, pText } from './words.ts';

/** Share that a classifier must tell apart, where half is chance, before a difference is one that matters. */
const TELLING_ACCURACY = 0.65;
/** AUC from which scores of two sets differ much. */
const LARGE_AUC = 0.75;
const SEED = 0;

/** Whether two sets are draws of one distribution, as the model sees them. */
export interface TwoSetsTest {
  readonly sets: readonly [string, string];
  /** Of what the head reads; null where a set is too small or the check is brief, as for the others. */
  readonly mmd: MmdResult | null;
  readonly classifier: ClassifierTestResult | null;
  readonly scores: MmdResult | null;
}

/**
 * Tests of features and scores of one set against another; none where the model was not asked.
 *
 * @param options.isBrief  without those by permutation, of which each costs a second
 */
export function twoSetsTests(
  pairs: readonly (readonly [CheckedSet, CheckedSet])[],
  { isBrief }: { readonly isBrief: boolean },
): TwoSetsTest[] {
  return pairs.flatMap(([first, second]) => {
    if (first.seen === null || second.seen === null) return [];
    const setsOf = (values: 'features' | 'logits') =>
      [first, second].map(({ seen, samples: { subjects } }) => ({
        values: seen![values],
        width: values === 'features' ? seen!.width : 1,
        ...(subjects && { subjects }),
      }));
    const [features, others] = setsOf('features');
    const [scores, otherScores] = setsOf('logits');
    return [
      {
        sets: [first.name, second.name] as const,
        mmd: isBrief ? null : mmdTest(features!, others!, SEED),
        classifier: classifierTest(features!, others!, SEED),
        scores: isBrief ? null : mmdTest(scores!, otherScores!, SEED),
      },
    ];
  });
}

/** Differences that a classifier can tell, and scores that lie elsewhere; all p-values are one Holm family. */
export function twoSetsFindings(
  pairs: readonly (readonly [CheckedSet, CheckedSet])[],
  tests: readonly TwoSetsTest[],
): Finding[] {
  const classified = tests.flatMap(({ sets, classifier, mmd }) =>
    classifier === null ? [] : [{ sets, classifier, mmd }],
  );
  const apart = pairs.flatMap(([first, second]) => {
    if (first.seen === null || second.seen === null) return [];
    const separation = separate([...first.seen.logits], [...second.seen.logits]);
    return separation === null ? [] : [{ sets: [first.name, second.name] as const, ...separation }];
  });
  const adjusted = holm([
    ...classified.map(({ classifier }) => classifier.pValue),
    ...apart.map(({ pValue }) => pValue),
  ]);
  return [
    ...classified.flatMap(({ sets, classifier, mmd }, index): Finding[] => {
      if (adjusted[index]! >= CHECK_LEVEL || classifier.accuracy < TELLING_ACCURACY) return [];
      const also =
        mmd === null ? '' : `; maximum mean discrepancy ${mmd.squared.toFixed(3)}, ${pText(mmd.pValue)}`;
      return [
        {
          code: 'features-differ',
          severity: 'care',
          reason: `A classifier tells ${sets[0]} from ${sets[1]} by the model's features in ${percentText(classifier.accuracy)} of ${classifier.tested} rows (${pText(adjusted[index]!)}${also}).`,
          repair: `Draw both from the same source; counterweight select finds the rows of a larger pool that come closest to ${sets[1]}.`,
        },
      ];
    }),
    ...apart.flatMap(({ sets, auc }, index): Finding[] => {
      const pValue = adjusted[classified.length + index]!;
      if (pValue >= CHECK_LEVEL || Math.max(auc, 1 - auc) < LARGE_AUC) return [];
      return [
        {
          code: 'scores-differ',
          severity: 'care',
          reason: `The model's scores on ${sets[1]} are ${auc > 0.5 ? 'higher' : 'lower'} than on ${sets[0]} in ${percentText(Math.max(auc, 1 - auc))} of pairs (${pText(pValue)}): a threshold of one does not fit the other.`,
          repair:
            'Find out whether patients or pictures differ; choose the threshold on data like that of use.',
        },
      ];
    }),
  ];
}

export interface ScoreHistograms {
  /** Of the larger class probability, in [0.5, 1]. */
  readonly confidence: GroupHistogram;
  /** Low where the model has seen the like. */
  readonly energy: GroupHistogram;
}

/** By groups of the first feature; null where the model was not asked. */
export function scoreHistograms({ seen, samples }: CheckedSet): ScoreHistograms | null {
  const [feature] = samples.sensitiveFeatures;
  if (seen === null || feature === undefined) return null;
  return {
    confidence: groupHistogram(confidences(seen.logits), feature, { range: [0.5, 1] }),
    energy: groupHistogram(energies(seen.logits), feature),
  };
}
