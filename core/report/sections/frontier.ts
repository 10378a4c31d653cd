import type { CandidateRecord, RunRecord } from '../../jobs/run-record.ts';
import { type FrontierPoint, frontierChart } from '../charts/frontier.ts';
import { searchSentence } from '../facts/search-text.ts';
import { hasSelection } from '../facts/selection.ts';
import { disclosure, figure, paragraph, type Section } from '../page/layout.ts';
import { longTextCell, numberCell, numberedRow, table, textCell } from '../page/table.ts';
import { undefinedText } from '../tables/figure-cells.ts';
import { plural, rate, significant, threshold } from '../text/format.ts';
import { type Content, type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';
import { CANDIDATE_WORDS, DISPARITY_WORDS, inSentence } from '../text/words.ts';

const RULE =
  'The one kept met every guard rail. It need not have the smallest gap: gaps within one standard error of the smallest count as equal, and among those the highest AUC decides.';

/** Every candidate that was tried, on the part that chose among them. */
export function frontierSection({ candidates, outcome, data, search }: RunRecord): Section {
  const { label, isRatio } = DISPARITY_WORDS[outcome.metric];
  const points = candidates.flatMap(pointOf);
  const missing = candidates.length - points.length;
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
${search ? paragraph(searchSentence(search)) : NOTHING}
${isSelected && candidates.some(({ isChosen }) => isChosen) ? paragraph(RULE) : NOTHING}
${missing === 0 ? NOTHING : paragraph(`${missing} not plotted, since a figure is not defined for ${missing === 1 ? 'it' : 'them'}.`)}
${picture}
${candidates.length === 0 ? NOTHING : candidateTable(candidates, label)}
${candidates.length === 0 ? NOTHING : disclosure('Figures by group of every candidate', groupFigures(candidates))}`,
  };
}

function pointOf(candidate: CandidateRecord, index: number): FrontierPoint[] {
  const { kind, select, violations, isChosen } = candidate;
  if (select.auc === null || select.disparity === null) return [];
  return [
    {
      number: index + 1,
      kind,
      auc: select.auc,
      disparity: select.disparity,
      isFeasible: violations.length === 0,
      isChosen,
    },
  ];
}

function candidateTable(candidates: readonly CandidateRecord[], label: string): Html {
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
  return table({ caption: 'Candidates on the select part', columns, rows: candidates.map(candidateRow) });
}

function candidateRow(candidate: CandidateRecord, index: number): Html {
  const { id, kind, settings, select, isChosen } = candidate;
  const chosen = isChosen ? html` <span class="tag">chosen</span>` : NOTHING;
  return numberedRow(index + 1, [
    textCell(html`${nameHtml(id)}${chosen}<small>${CANDIDATE_WORDS[kind]}</small>`),
    longTextCell(settingsText(settings)),
    figureCell(select.disparity),
    figureCell(select.auc),
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

function figureCell(value: number | null): Html {
  return numberCell(value === null ? undefinedText() : rate(value));
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
