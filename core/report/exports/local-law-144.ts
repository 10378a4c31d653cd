import { csvCell } from '../../data/csv-text.ts';
import { MISSING_GROUP } from '../../data/types.ts';
import { InvalidInputError } from '../../errors.ts';
import type { AuditReport, FeatureAudit, GroupMetrics } from '../../fairness/types.ts';
import { count, NOT_DEFINED, percent, rate } from '../text/format.ts';
import { type ExportOptions, markdownTable, markdownText } from './markdown.ts';

/**
 * Selection rates, scoring rates and impact ratios as the rules on Local Law 144 of New York City define them
 * (Rules of the City of New York, title 6, § 5-300 and § 5-301):
 *
 *   selection rate = selected / individuals of the category
 *   scoring rate   = individuals with a score above the median of all / individuals of the category
 *   impact ratio   = rate of the category / highest rate of any category
 *
 * Individuals count once, whatever their weights. Those whose category is not known are counted and left out.
 */
interface Category {
  readonly name: string;
  readonly individuals: number;
  /** Of all individuals whose category is known. */
  readonly share: number;
  readonly selected: number;
  readonly selectionRate: number | null;
  readonly selectionImpactRatio: number | null;
  /** null without scores */
  readonly aboveMedian: number | null;
  readonly scoringRate: number | null;
  readonly scoringImpactRatio: number | null;
}

interface CategoryTable {
  readonly feature: string;
  readonly isIntersection: boolean;
  readonly categories: readonly Category[];
  readonly unknown: number;
}

/** An auditor may leave a category below this share out of the impact ratios. */
const SMALL_SHARE = 0.02;

/** @throws InvalidInputError for an audit of several classes, which selects nobody */
function tablesOf({ classes, features, overall, thresholds }: AuditReport): CategoryTable[] {
  if (classes !== undefined) {
    throw new InvalidInputError(
      `Local Law 144: expected an audit of selections, received one of ${classes.length} classes`,
    );
  }
  const median = medianPlace(overall, thresholds);
  return features.map((feature) => tableOf(feature, median));
}

/**
 * Place of the lowest threshold that at most half of all individuals reach: the quantiles of the sweep hold it, and
 * whoever reaches it lies above the median. Past the last place where nobody does; null without scores.
 */
function medianPlace({ sweep, support }: GroupMetrics, thresholds: readonly number[]): number | null {
  if (sweep === null) return null;
  const reaches = (at: number) => sweep.truePositives[at]! + sweep.falsePositives[at]!;
  const place = thresholds.findIndex((_, at) => reaches(at) <= support / 2);
  return place === -1 ? thresholds.length : place;
}

function tableOf(
  { sensitiveFeature, attributes, groups }: FeatureAudit,
  median: number | null,
): CategoryTable {
  const isUnknown = ({ group }: GroupMetrics) => group.split(' × ').includes(MISSING_GROUP);
  const known = groups.filter((group) => !isUnknown(group));
  const individuals = sumOf(known);
  const rows = known.map((group) => {
    const { support, counts, sweep } = group;
    const selected = counts.truePositives + counts.falsePositives;
    const above =
      sweep === null || median === null
        ? null
        : (sweep.truePositives[median] ?? 0) + (sweep.falsePositives[median] ?? 0);
    return {
      name: group.group,
      individuals: support,
      share: share(support, individuals) ?? 0,
      selected,
      selectionRate: share(selected, support),
      aboveMedian: above,
      scoringRate: above === null ? null : share(above, support),
    };
  });
  const selectionRatio = ratioTo(rows.map(({ selectionRate }) => selectionRate));
  const scoringRatio = ratioTo(rows.map(({ scoringRate }) => scoringRate));
  return {
    feature: sensitiveFeature,
    isIntersection: attributes.length > 1,
    categories: rows.map((row) => ({
      ...row,
      selectionImpactRatio: selectionRatio(row.selectionRate),
      scoringImpactRatio: scoringRatio(row.scoringRate),
    })),
    unknown: sumOf(groups.filter(isUnknown)),
  };
}

const sumOf = (groups: readonly GroupMetrics[]): number =>
  groups.reduce((sum, { support }) => sum + support, 0);
const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** Divides by the highest rate; not defined where that is 0. */
function ratioTo(rates: readonly (number | null)[]): (value: number | null) => number | null {
  const highest = Math.max(0, ...rates.map((value) => value ?? 0));
  return (value) => (value === null || highest === 0 ? null : value / highest);
}

/** The tables that a summary of results has to show, with what the audit cannot say left open. */
export function localLaw144Markdown(audit: AuditReport, { model, source }: ExportOptions): string {
  const tables = tablesOf(audit);
  return `# Bias audit of an automated employment decision tool: rates and impact ratios

- Tool: ${markdownText(model)}
- Data: ${markdownText(source)}, ${count(audit.overall.support)} individuals
- To be stated by the auditor: date of the audit, date from which the tool was used, source and kind of the data (historical or test), and why a category below ${percent(SMALL_SHARE)} was left out, if one was

${tables.map(tableMarkdown).join('\n')}
An impact ratio is the rate of a category divided by the highest rate of any category. A scoring rate is the share of a category with a score above the median of all.
`;
}

function tableMarkdown({ feature, isIntersection, categories, unknown }: CategoryTable): string {
  const hasScores = categories.some(({ aboveMedian }) => aboveMedian !== null);
  const columns = ['Category', 'Individuals', 'Share', 'Selected', 'Selection rate', 'Impact ratio'];
  const scored = hasScores ? ['Above the median', 'Scoring rate', 'Impact ratio of scoring rates'] : [];
  const rows = categories.map((category) => {
    const { aboveMedian, scoringRate, scoringImpactRatio } = category;
    const small = category.share < SMALL_SHARE ? ` (below ${percent(SMALL_SHARE)})` : '';
    const cells = [
      markdownText(category.name) + small,
      count(category.individuals),
      percent(category.share),
      count(category.selected),
      rate(category.selectionRate),
      rate(category.selectionImpactRatio),
    ];
    if (!hasScores) return cells;
    const above = aboveMedian === null ? NOT_DEFINED : count(aboveMedian);
    return [...cells, above, rate(scoringRate), rate(scoringImpactRatio)];
  });
  const kind = isIntersection ? 'Intersectional categories' : 'Categories';
  return `## ${kind} by ${markdownText(feature)}

${markdownTable([...columns, ...scored], rows)}
Individuals of unknown category, not in the table: ${count(unknown)}.
`;
}

const COLUMNS = [
  'feature',
  'category',
  'individuals',
  'share',
  'selected',
  'selection_rate',
  'selection_impact_ratio',
  'above_median',
  'scoring_rate',
  'scoring_impact_ratio',
] as const;

/** The same as CSV (RFC 4180), a row per category; a last row of each feature counts the unknown. */
export function localLaw144Csv(audit: AuditReport): string {
  const rows = tablesOf(audit).flatMap(({ feature, categories, unknown }) => [
    ...categories.map((each) => [
      feature,
      each.name,
      each.individuals,
      each.share,
      each.selected,
      each.selectionRate,
      each.selectionImpactRatio,
      each.aboveMedian,
      each.scoringRate,
      each.scoringImpactRatio,
    ]),
    [feature, '(unknown)', unknown, ...COLUMNS.slice(3).map(() => null)],
  ]);
  return [COLUMNS, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}
