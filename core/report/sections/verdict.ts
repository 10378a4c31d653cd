import type { RunRecord } from '../../jobs/run-record.ts';
import { type Headline, headlineOf, type MitigationInput } from '../facts/headline.ts';
import { movementWords } from '../facts/movement.ts';
import { hasSelection } from '../facts/selection.ts';
import { byTargets } from '../facts/targets.ts';
import { bulletList, definitions, paragraph } from '../page/layout.ts';
import { numberCell, row, table } from '../page/table.ts';
import { plural, rate, threshold, thresholdText } from '../text/format.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';
import { DISPARITY_WORDS, OUTCOME_WORDS, PART_WORDS } from '../text/words.ts';
import { verdictNotices } from './verdict-notices.ts';

const FIXED_SETTINGS = 'settings were fixed beforehand, no guard rails were applied';

/** Top of the report: what happened in one sentence, the status, the data it was audited on, what to beware of. */
export function verdict(input: MitigationInput): Html {
  const { run } = input;
  const headline = headlineOf(input);
  return html`<div class="verdict">
${statusBadge(run)}
<p class="headline">${sentences(input, headline)}</p>
${reasons(run)}
${keyFigures(input, headline)}
${eachTarget(run)}</div>
${verdictNotices(input, headline)}`;
}

function statusBadge({ outcome, data }: RunRecord): Html {
  const { symbol, label, meaning } = OUTCOME_WORDS[outcome.status];
  const isFixed = outcome.status === 'improved' && !hasSelection(data);
  return html`<p class="status ${outcome.status}"><span class="badge"><span aria-hidden="true">${symbol}</span> ${label}</span> <span class="muted">${isFixed ? FIXED_SETTINGS : meaning}</span></p>`;
}

function sentences(input: MitigationInput, headline: Headline): Html {
  switch (input.run.outcome.status) {
    case 'improved':
      return changeSentence(input, headline);
    case 'not-improved':
      return html`No candidate met the guard rails; the original model stays. ${stateSentence(input, headline)}`;
    case 'rejected':
      return html`The data cannot carry the method; no model was changed. ${stateSentence(input, headline)}`;
  }
}

/** Name of the target disparity, over the groups that it could be measured on. */
function subject({ run }: MitigationInput, { metric, before, leftOut }: Headline): Html {
  const isPartial = leftOut.length > 0 && before !== null;
  const among = isPartial ? ', among the groups with support,' : '';
  return html`${DISPARITY_WORDS[metric].label} ${byTargets(run.outcome)}${among}`;
}

function auditedText({ run, before }: MitigationInput): string {
  return `${run.data.auditedOn} ${plural(before.overall.support, 'sample')}`.replace(
    /^(\w+) ([\d,]+)/,
    '$2 $1',
  );
}

function changeSentence(input: MitigationInput, headline: Headline): Html {
  const { before, after, isComparable } = headline;
  const on = auditedText(input);
  if (!isComparable) {
    return html`${subject(input, headline)} cannot be compared before and after on ${on}, since different groups lack support; ${aucText(headline)}.`;
  }
  if (before === null || after === null) {
    return html`${subject(input, headline)} on ${on}: before ${rate(before)}, after ${rate(after)}; ${aucText(headline)}.`;
  }
  return html`${subject(input, headline)} ${movementWords(before, after)} on ${on}; ${aucText(headline)}.`;
}

function aucText({ aucBefore, aucAfter }: Headline): string {
  return `AUC ${rate(aucBefore)} \u2192 ${rate(aucAfter)}`;
}

function stateSentence(input: MitigationInput, headline: Headline): Html {
  return html`${subject(input, headline)} is ${rate(headline.before)} on ${auditedText(input)}; AUC ${rate(headline.aucBefore)}.`;
}

function reasons({ outcome }: RunRecord): Html {
  if (outcome.reasons.length === 0) return NOTHING;
  const lead = {
    improved: 'Recorded with the outcome:',
    'not-improved': 'Why:',
    rejected: 'What is missing:',
  };
  return html`${paragraph(lead[outcome.status])}${bulletList(outcome.reasons)}`;
}

function keyFigures(input: MitigationInput, headline: Headline): Html {
  const { run, before, after } = input;
  const arrow = (first: number | null, second: number | null) =>
    after === null ? rate(first) : html`${rate(first)} <span class="muted">→</span> ${rate(second)}`;
  const { before: first, after: second } = headline;
  const isShown = headline.isComparable;
  return definitions(
    [
      [DISPARITY_WORDS[headline.metric].label, isShown ? arrow(first, second) : 'not comparable'],
      ['AUC, all samples', arrow(headline.aucBefore, headline.aucAfter)],
      ['Audited on', html`${auditedText(input)}<small>used for: ${PART_WORDS[run.data.auditedOn]}</small>`],
      ['Threshold', thresholds(before.threshold, after === null ? undefined : after.threshold)],
    ],
    'tiles',
  );
}

/** Where several features were mitigated, each of them. */
function eachTarget({ outcome: { features, metric } }: RunRecord): Html {
  if (features === undefined) return NOTHING;
  const { label } = DISPARITY_WORDS[metric];
  return table({
    caption: `${label} by what was mitigated`,
    columns: [{ title: 'By' }, { title: 'Before', isNumeric: true }, { title: 'After', isNumeric: true }],
    rows: features.map(({ sensitiveFeature, before, after }) =>
      row(nameHtml(sensitiveFeature), [numberCell(rate(before)), numberCell(rate(after))]),
    ),
  });
}

function thresholds(before: number | null, after: number | null | undefined): Html {
  if (after === undefined || after === before) return html`${thresholdText(before)}`;
  if (before === null || after === null)
    return html`before ${thresholdText(before)}, after ${thresholdText(after)}`;
  return html`${threshold(before)} <span class="muted">→</span> ${threshold(after)}`;
}
