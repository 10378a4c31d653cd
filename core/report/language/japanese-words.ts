import type { PolicyMetric } from '../../fairness/policy/metrics.ts';
import type { DisparityName } from '../../fairness/types.ts';
import { DISPARITY_WORDS } from '../text/words.ts';

type Words = Readonly<Record<DisparityName, readonly [label: string, meaning: string]>>;

const ZERO = '0 なら差なし。';
const ONE = '1 なら差なし。';

const DISPARITIES: Words = {
  demographicParityDifference: ['人口統計的パリティの差', `陽性予測率の最大と最小の差。${ZERO}`],
  demographicParityRatio: ['人口統計的パリティの比', `陽性予測率の最小を最大で割った値。${ONE}`],
  disparateImpactRatio: ['差別的影響の比', `他の群の陽性予測率の最小を基準群の値で割った値。${ONE}`],
  conditionalDemographicDisparity: [
    '条件付き人口統計的格差',
    `層の内で、陰性予測に占める群の割合と陽性予測に占める割合との差の最大。${ZERO}`,
  ],
  equalOpportunityDifference: ['機会均等の差', `真陽性率の最大と最小の差。${ZERO}`],
  equalOpportunityRatio: ['機会均等の比', `真陽性率の最小を最大で割った値。${ONE}`],
  equalizedOddsDifference: ['均等オッズの差', `真陽性率の差と偽陽性率の差のうち大きい方。${ZERO}`],
  equalizedOddsRatio: ['均等オッズの比', `真陽性率の比と偽陽性率の比のうち小さい方。${ONE}`],
  equalizedOddsMeanDifference: ['均等オッズの平均差', `真陽性率の差と偽陽性率の差の平均。${ZERO}`],
  equalizedOddsMeanRatio: ['均等オッズの平均比', `真陽性率の比と偽陽性率の比の平均。${ONE}`],
  bmftEqualizedOdds: [
    '均等オッズ（BMFT 論文の符号付き形）',
    '二つの差を符号のまま足すため、逆向きの差は打ち消し合う。0 でも差がないことは示さない。',
  ],
  falsePositiveRateDifference: ['偽陽性率の差', `偽陽性率の最大と最小の差。${ZERO}`],
  predictiveParityDifference: ['予測パリティの差', `陽性的中率の最大と最小の差。${ZERO}`],
  falseDiscoveryRateDifference: ['偽発見率の差', `偽発見率の最大と最小の差。${ZERO}`],
  falseOmissionRateDifference: ['偽見落とし率の差', `偽見落とし率の最大と最小の差。${ZERO}`],
  accuracyDifference: ['正解率の差', `正解率の最大と最小の差。${ZERO}`],
  balancedAccuracyDifference: ['均衡正解率の差', `均衡正解率の最大と最小の差。${ZERO}`],
  treatmentEqualityDifference: ['扱いの均等の差', `偽陽性 1 件あたりの偽陰性の数の最大と最小の差。${ZERO}`],
  aucDifference: ['AUC の差', `AUC の最大と最小の差。${ZERO}`],
  xAucDifference: ['xAUC の差', `ある群の他の群に対する AUC とその逆との差の最大。${ZERO}`],
  specificityAtSensitivityDifference: [
    '一定の感度での特異度の差',
    `同じ感度での特異度の最大と最小の差。${ZERO}`,
  ],
  calibrationErrorDifference: ['較正誤差の差', `期待較正誤差の最大と最小の差。${ZERO}`],
  brierDifference: ['ブライアスコアの差', `ブライアスコアの最大と最小の差。${ZERO}`],
  baseRateDifference: [
    '有病率（陽性ラベル率）の差',
    `陽性ラベルの割合の最大と最小の差。データの性質。${ZERO}`,
  ],
  classImbalance: ['群の大きさの偏り', `最大の群と最小の群の差をその和で割った値。データの性質。${ZERO}`],
};

export const JAPANESE_DISPARITIES = Object.fromEntries(
  Object.entries(DISPARITIES).map(([name, [label, meaning]]) => [
    name,
    { ...DISPARITY_WORDS[name as DisparityName], label, meaning },
  ]),
) as typeof DISPARITY_WORDS;

const QUALITIES: Readonly<Record<Exclude<PolicyMetric, DisparityName>, string>> = {
  worstGroupAuc: '最も低い群の AUC',
  worstGroupAccuracy: '最も低い群の正解率',
  worstGroupBalancedAccuracy: '最も低い群の均衡正解率',
  worstGroupTruePositiveRate: '最も低い群の真陽性率',
  overallAuc: 'AUC',
  overallAccuracy: '正解率',
  overallBalancedAccuracy: '均衡正解率',
};

export function japaneseMetric(metric: PolicyMetric): string {
  return metric in DISPARITIES
    ? DISPARITIES[metric as DisparityName][0]
    : QUALITIES[metric as keyof typeof QUALITIES];
}

const LABELS: Readonly<Record<string, string>> = {
  samples: '標本',
  sample: '標本',
  rows: '行',
  'positive labels': '陽性ラベル',
  'negative labels': '陰性ラベル',
  'positive label': '陽性ラベル',
  'negative label': '陰性ラベル',
  positive: '陽性',
  negative: '陰性',
  'predicted positives': '陽性予測',
  'predicted negatives': '陰性予測',
  'false positives': '偽陽性',
};

const label = (text: string): string => LABELS[text] ?? text;

/** What the groups of a pattern match; fewer than four where it has fewer. */
type Parts = readonly [string, string, string, string];

/** Reasons and warnings of audits and policies, by their English form. */
const SENTENCES: readonly (readonly [RegExp, (parts: Parts) => string])[] = [
  [/^class "(.*?)": (.*)$/s, ([name, rest]) => `クラス「${name}」: ${japaneseSentence(rest)}`],
  [
    /^group "(.*)" has no (.*) \(support 0 of (\d+)\)$/s,
    ([name, what, size]) => `群「${name}」に${label(what)}がない（${size} 件中 0 件）`,
  ],
  [/^group "(.*)" has no (.*)$/s, ([name, what]) => `群「${name}」に${label(what)}がない`],
  [
    /^group "(.*)" has (\d+) (.*), the policy asks for (\d+)$/s,
    ([name, size, what, least]) => `群「${name}」の${label(what)}は ${size} 件、方針は ${least} 件を求める`,
  ],
  [/^group "(.*?)": (.*)$/s, ([name, rest]) => `群「${name}」: ${japaneseSentence(rest)}`],
  [/^the reference group "(.*)" has 0$/s, ([name]) => `基準群「${name}」の値が 0`],
  [/^no (positive labels|negative labels|samples|false positives)$/, ([what]) => `${label(what)}がない`],
  [/^no samples: .*$/, () => '標本がなく、何も測れない'],
  [/^no positive labels: .*$/, () => '陽性ラベルがなく、真陽性率と AUC は定義されない'],
  [/^no negative labels: .*$/, () => '陰性ラベルがなく、偽陽性率と AUC は定義されない'],
  [
    /^(.*) "(.*)": no (positive|negative) labels, so .*$/s,
    ([feature, name, what]) =>
      `${feature}「${name}」: ${label(what)}ラベルがなく、それに対する率は定義されない`,
  ],
  [
    /^(.*) "(.*)": only (\d+) (positive|negative) labels?, so .*$/s,
    ([feature, name, size, what]) =>
      `${feature}「${name}」: ${label(what)}ラベルは ${size} 件だけで、それに対する率は不確か`,
  ],
  [
    /^(.*): (\d+) small groups were merged into one$/s,
    ([feature, size]) => `${feature}: 小さい ${size} 群を一つにまとめた`,
  ],
  [/^(.*): one group only, so .*$/s, ([feature]) => `${feature}: 群が一つだけで、格差は定義されない`],
  [/^one group only: .*$/, () => '群が一つだけ（格差には二つ要る）'],
  [/^the table holds predictions, no scores$/, () => '表には予測だけがあり、スコアがない'],
  [/^scores outside \[0, 1\] are no probabilities$/, () => '[0, 1] の外のスコアは確率でない'],
  [
    /^defined for (\d+) groups only, received (\d+)$/,
    ([need, got]) => `${need} 群の場合だけ定義される（${got} 群）`,
  ],
  [/^more than (\d+) groups$/, ([most]) => `群が ${most} を超える`],
  [/^no reference group with a selection rate above 0$/, () => '陽性予測率が 0 より大きい基準群がない'],
  [/^all scores are equal$/, () => 'スコアがすべて等しい'],
  [/^the scores separate the classes: .*$/, () => 'スコアが二つのクラスを完全に分け、有限の傾きがない'],
  [/^no finite intercept$/, () => '有限の切片がない'],
  [/^too many groups to count their scores in bins$/, () => '群が多く、スコアを区間ごとに数えられない'],
  [/^the highest rate among the groups is 0, .*$/, () => '群の率がすべて 0 で、比は 0/0'],
  [/^the rows have no strata$/, () => '行に層がない'],
  [
    /^(\d+) of (\d+) strata select nobody .*$/s,
    ([some, all]) => `${all} 層のうち ${some} 層で全員が陽性または全員が陰性と予測され、割合は 0/0`,
  ],
  [/^undefined$/, () => '定義されない'],
  [/^there is no interval$/, () => '区間がない'],
  [/^the interval has the limit inside$/, () => '区間が限度をまたぐ'],
  [/^no baseline was given$/, () => '基準となる監査がない'],
  [/^the baseline has no such figure$/, () => '基準となる監査にこの値がない'],
  [/^the audit has no sensitive feature$/, () => '監査に機微な特徴がない'],
  [/^the audit has no feature "(.*)"$/s, ([name]) => `監査に特徴「${name}」がない`],
];

/** The sentence in Japanese; one that is not known stays as it is rather than be lost. */
export function japaneseSentence(text: string): string {
  const parts = text.split(/(?:; | and )(?=group ")/);
  if (parts.length > 1) return parts.map(japaneseSentence).join('、');
  for (const [pattern, words] of SENTENCES) {
    const match = text.match(pattern);
    if (match !== null) return words(match.slice(1) as unknown as Parts);
  }
  return text;
}
