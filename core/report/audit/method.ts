import type { InputFacts, JoinFacts } from '../../fairness/input-facts.ts';
import type { AuditReport, Interval, IntervalMethod } from '../../fairness/types.ts';
import { INTERVAL_METHODS } from '../../fairness/types.ts';
import type { Language } from '../language/language.ts';
import { type Definition, definitions, type Section } from '../page/layout.ts';
import { type Content, type Html, html } from '../text/html.ts';
import { nameHtml, nameList } from '../text/names.ts';

/** How the rows were read and how the figures were made: what it takes to measure the same again. */
export function methodSection(audit: AuditReport, language: Language): Section {
  const facts = [
    ...settings(audit, language),
    ...mergers(audit, language),
    ...inputFacts(audit.input, language),
  ];
  return { id: 'method', title: language.t.method.title, body: definitions(facts) };
}

function settings(audit: AuditReport, { t, count, percent }: Language): Definition[] {
  const { method: words } = t;
  const { minSupport, clusters } = audit;
  const minimum = words.minimum(
    count(minSupport.group),
    count(minSupport.positives),
    count(minSupport.negatives),
  );
  const methods = methodsOf(audit).map((method) => words.methods[method]);
  return [
    [words.level, percent(audit.level)],
    ...(methods.length === 0 ? [] : [[words.intervals, methods.join('; ')] as const]),
    [words.replicates, count(audit.replicates)],
    [words.seed, String(audit.seed)],
    [words.ranks, audit.ranks === null ? words.noRanks : words.rankKinds[audit.ranks]],
    [words.weights, audit.isWeighted ? words.weighted : words.unweighted],
    [words.clusters, clusters === null ? words.noClusters : count(clusters)],
    [words.minSupport, html`${minimum}<small>${words.actions[minSupport.action]}</small>`],
  ];
}

/** Methods of the intervals of a report, each once. */
function methodsOf({ overall, features }: AuditReport): IntervalMethod[] {
  const groups = [overall, ...features.flatMap((feature) => feature.groups)];
  const intervals: (Interval | null)[] = [
    ...groups.flatMap(({ rates, auc, calibration }) => [
      ...Object.values(rates).map(({ interval }) => interval),
      auc.interval,
      calibration?.slope.interval ?? null,
    ]),
    ...features.flatMap(({ disparities }) => Object.values(disparities).map(({ interval }) => interval)),
    ...features.flatMap(({ comparisons }) =>
      comparisons.flatMap(({ difference, ratio }) => [difference.interval, ratio.interval]),
    ),
  ];
  const used = new Set(intervals.map((interval) => interval?.method));
  return INTERVAL_METHODS.filter((method) => used.has(method));
}

function mergers({ features }: AuditReport, language: Language): Definition[] {
  const { method: words } = language.t;
  return features
    .filter(({ merged }) => merged.length > 0)
    .map(({ sensitiveFeature, merged }) => [
      words.merged,
      words.mergedOf(nameHtml(sensitiveFeature, language), nameList(merged, language)),
    ]);
}

function inputFacts(input: InputFacts | undefined, language: Language): Definition[] {
  if (input === undefined) return [];
  const { t, count } = language;
  const { method: words } = t;
  const { rows, audited, missing, bins, join } = input;
  const several = (lines: readonly Content[]): Html => html`${lines.map((line) => html`<div>${line}</div>`)}`;
  const missed = missing.map((each) =>
    words.missingOf(nameHtml(each.sensitiveFeature, language), count(each.rows)),
  );
  const binned = bins.map(({ sensitiveFeature, rule, edges, isExact }) => {
    const how = isExact ? words.binRules[rule] : `${words.binRules[rule]}, ${words.roundedBins}`;
    return words.binsOf(nameHtml(sensitiveFeature, language), how, edges.join(', '));
  });
  return [
    [words.rows, count(rows)],
    [words.audited, count(audited)],
    ...(missed.length === 0 ? [] : [[words.missing, several(missed)] as const]),
    ...(binned.length === 0 ? [] : [[words.bins, several(binned)] as const]),
    ...(join === undefined ? [] : [[words.join, joinText(join, language)] as const]),
  ];
}

function joinText({ id, matched, unmatched, duplicate, conflicting, unused }: JoinFacts, language: Language) {
  const counts = [matched, unmatched, duplicate, conflicting, unused].map(language.count);
  return language.t.method.joined(nameHtml(id, language), counts);
}
