import { frontierOf } from '../../jobs/frontier.ts';
import type { CandidateRecord, RunRecord } from '../../jobs/run-record.ts';
import { type FrontierPoint, frontierChart } from '../charts/frontier.ts';
import { searchSentence } from '../facts/search-text.ts';
import { hasSelection } from '../facts/selection.ts';
import { ENGLISH } from '../language/language.ts';
import { disclosure, figure, paragraph, type Section } from '../page/layout.ts';
import { longTextCell, numberCell, numberedRow, table, textCell } from '../page/table.ts';
import { rangeText, undefinedText } from '../tables/figure-cells.ts';
import { plural, rate, significant, threshold } from '../text/format.ts';
import { type Content, type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';
import { CANDIDATE_WORDS, DISPARITY_WORDS, inSentence } from '../text/words.ts';

const RULE =
  'The one kept met every guard rail. It need not have the smallest gap: gaps within one standard error of the smallest count as equal, and among those the highest AUC decides.';

const OPTIMISM =
  'Crosses are the intervals at 95 % of the original, of the candidate that was chosen and of those that no other one beats in both figures. They are as wide as for one candidate fixed beforehand: of the best of many, figures on the select part are optimistic, and the audit on the test part is what counts.';

/** Those whose intervals are worth their ink. */
function frontOf(candidates: readonly CandidateRecord[]): ReadonlySet<CandidateRecord> {
  const original = candidates.find(({ kind }) => kind === 'original');
  if (original === undefined) return new Set();
  const chosen = candidates.filter(({ isChosen }) => isChosen);
  return new Set([original, ...chosen, ...frontierOf(candidates, original.select)]);
}

/** Every candidate that was tried, on the part that chose among them. */
export function frontierSection(run: RunRecord): Section {
  const { candidates, outcome, data } = run;
  const { label, isRatio } = DISPARITY_WORDS[outcome.metric];
  const front = frontOf(candidates);
  const points = candidates.flatMap((candidate, index) => pointOf(candidate, index, front));
  const better = isRatio ? 'higher' : 'lower';
  const axes = `Disparity is the ${inSentence(label)} ${outcome.features ? `by ${outcome.features.map((each) => each.sensitiveFeature).join(', ')}, the largest of them,` : `by ${outcome.sensitiveFeature}`} (${better} is a smaller gap); a higher AUC ranks better.`;
  const isSelected = hasSelection(data);
  const judged = isSelected
    ? 'judged on the select part'
    : 'with settings fixed beforehand; no part of the data was kept to choose among them';
  const title = `${label} against AUC, one mark per candidate`;
  const picture =
    points.length === 0
      ? NOTHING
      : figure(
          [frontierChart({ id: 'frontier-chart', title, yLabel: label, points })],
          'The AUC axis is cut to the values. The number behind a name is the row in the table below.',
        );
  return {
    id: 'frontier',
    title: 'How the candidate was chosen',
    body: html`${paragraph(`${plural(candidates.length, 'candidate')}, ${judged}. ${axes}`)}
${notes(run, points)}
${picture}
${candidateTables(run, front)}
${candidates.length === 0 ? NOTHING : disclosure('Figures by group of every candidate', groupFigures(candidates))}`,
  };
}

/** What was searched, how the choice was made, and how sure its figures are. */
function notes({ candidates, data, search }: RunRecord, points: readonly FrontierPoint[]): Html[] {
  const missing = candidates.length - points.length;
  const isChoiceMade = hasSelection(data) && candidates.some(({ isChosen }) => isChosen);
  const sentences = [
    ...(search ? [searchSentence(search)] : []),
    ...(isChoiceMade ? [RULE] : []),
    ...(points.some(({ intervals }) => intervals) ? [OPTIMISM] : []),
    ...(missing > 0
      ? [`${missing} not plotted, since a figure is not defined for ${missing === 1 ? 'it' : 'them'}.`]
      : []),
  ];
  return sentences.map((sentence) => paragraph(sentence));
}

function pointOf(
  candidate: CandidateRecord,
  index: number,
  front: ReadonlySet<CandidateRecord>,
): FrontierPoint[] {
  const { kind, select, violations, isChosen, isDrawn = false } = candidate;
  if (select.auc === null || select.disparity === null) return [];
  return [
    {
      number: index + 1,
      kind,
      auc: select.auc,
      disparity: select.disparity,
      isFeasible: violations.length === 0,
      isChosen,
      isDrawn,
      ...(front.has(candidate) && crossOf(select)),
    },
  ];
}

function crossOf({ intervals }: CandidateRecord['select']): Pick<FrontierPoint, 'intervals'> {
  return intervals?.auc && intervals.disparity
    ? { intervals: { auc: intervals.auc, disparity: intervals.disparity } }
    : {};
}

type Numbered = readonly [index: number, candidate: CandidateRecord];

/** Drawn candidates that another one beats are many, and folded. */
function candidateTables({ candidates, outcome }: RunRecord, front: ReadonlySet<CandidateRecord>): Html {
  if (candidates.length === 0) return NOTHING;
  const { label } = DISPARITY_WORDS[outcome.metric];
  const isBeaten = ([, candidate]: Numbered) => candidate.isDrawn === true && !front.has(candidate);
  const numbered: Numbered[] = [...candidates.entries()];
  const beaten = numbered.filter(isBeaten);
  const shown = numbered.filter((each) => !isBeaten(each));
  return html`${candidateTable(shown, { label, caption: 'Candidates on the select part' })}
${
  beaten.length === 0
    ? NOTHING
    : disclosure(
        `${plural(beaten.length, 'drawn candidate')} that others beat, or that broke a guard rail`,
        candidateTable(beaten, { label, caption: 'Further candidates on the select part' }),
      )
}`;
}

function candidateTable(
  numbered: readonly Numbered[],
  { label, caption }: { readonly label: string; readonly caption: string },
): Html {
  const columns = [
    { title: 'No.' },
    { title: 'Candidate' },
    { title: 'Settings' },
    { title: label, isNumeric: true },
    { title: 'AUC', isNumeric: true },
    { title: html`Balanced<br>accuracy`, isNumeric: true },
    { title: 'Threshold', isNumeric: true },
    { title: 'Guard rails' },
  ];
  return table({
    caption,
    columns,
    rows: numbered.map(([index, candidate]) => candidateRow(candidate, index)),
  });
}

function candidateRow(candidate: CandidateRecord, index: number): Html {
  const { id, kind, settings, select, isChosen, isDrawn } = candidate;
  const chosen = isChosen ? html` <span class="tag">chosen</span>` : NOTHING;
  return numberedRow(index + 1, [
    textCell(
      html`${nameHtml(id)}${chosen}<small>${CANDIDATE_WORDS[kind]}${isDrawn ? ', drawn' : ''}</small>`,
    ),
    longTextCell(settingsText(settings)),
    figureCell(select.disparity, select.intervals?.disparity),
    figureCell(select.auc, select.intervals?.auc),
    figureCell(select.balancedAccuracy),
    numberCell(threshold(select.threshold)),
    longTextCell(railsText(candidate)),
  ]);
}

function railsText({ kind, violations }: CandidateRecord): Content {
  if (violations.length > 0) return html`<strong>broken:</strong> ${violations.join('; ')}`;
  return kind === 'original' ? 'none, it is the reference' : 'met';
}

function settingsText(settings: CandidateRecord['settings']): string {
  const parts = Object.entries(settings).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? significant(value) : value}`,
  );
  return parts.join(', ');
}

type Range = NonNullable<NonNullable<CandidateRecord['select']['intervals']>['auc']>;

function figureCell(value: number | null, interval: Range | null = null): Html {
  return value === null ? numberCell(undefinedText()) : numberCell(rate(value), rangeText(interval, ENGLISH));
}

function groupFigures(candidates: readonly CandidateRecord[]): Html {
  const columns = [
    { title: 'No.' },
    { title: 'Group' },
    { title: 'True positive rate', isNumeric: true },
    { title: 'False positive rate', isNumeric: true },
    { title: 'AUC', isNumeric: true },
  ];
  const rows = candidates.flatMap(({ select }, index) =>
    select.groups.map(({ group, truePositiveRate, falsePositiveRate, auc }) =>
      numberedRow(index + 1, [
        textCell(nameHtml(group)),
        figureCell(truePositiveRate),
        figureCell(falsePositiveRate),
        figureCell(auc),
      ]),
    ),
  );
  return table({ caption: 'Figures by group on the select part', columns, rows });
}
