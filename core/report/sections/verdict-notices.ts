import type { RunRecord } from '../../jobs/run-record.ts';
import type { Headline, MitigationInput } from '../facts/headline.ts';
import { movementOf } from '../facts/movement.ts';
import { hasSelection } from '../facts/selection.ts';
import { worsened } from '../facts/worsened.ts';
import { notice } from '../page/layout.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { joinHtml, nameHtml, nameList } from '../text/names.ts';
import { CANDIDATE_WORDS } from '../text/words.ts';

const MOST_NAMED = 6;

/** What a reader must know before trusting the first sentence. */
export function verdictNotices(input: MitigationInput, headline: Headline): Html {
  return html`${overruledCheck(input.run)}
${independence(input.run)}
${leftOutGroups(headline)}
${unmovedGap(input, headline)}
${missingAudit(input)}
${chosenControl(input.run)}
${emptyCells(input.run)}
${worse(input)}
${headline.disagreements.map((sentence) => notice('Warning', sentence))}`;
}

/** The run went on with data that it was advised against. */
function overruledCheck({ check }: RunRecord): Html {
  if (!check?.isOverruled) return NOTHING;
  const reasons = check.findings.filter(({ severity }) => severity === 'unfit');
  return notice(
    'Warning',
    html`the check calls this data unfit, and the run was told to go on: ${reasons.map(({ reason }, index) => html`${index === 0 ? '' : ' '}${nameHtml(reason)}`)} No figure here should decide anything.`,
  );
}

function independence({ data }: RunRecord): Html {
  if (data.isIndependent) return NOTHING;
  return notice(
    'Warning',
    `the ${data.auditedOn} part also steered training or selection, so these figures are optimistic. Audit the model on samples that this run has not used before you rely on them.`,
  );
}

function leftOutGroups({ leftOut }: Headline): Html {
  if (leftOut.length === 0) return NOTHING;
  return notice(
    'Warning',
    html`the gap over all groups is not defined. Left out for lack of support: ${nameList(leftOut)}. Nothing can be said about the gap to these groups.`,
  );
}

/** The choice is made on the select part; on the audited part the gap need not have narrowed. */
function unmovedGap({ run }: MitigationInput, { metric, before, after, isComparable }: Headline): Html {
  if (run.outcome.status !== 'improved' || !isComparable || before === null || after === null) return NOTHING;
  const movement = movementOf(metric, before, after);
  if (movement === 'narrower') return NOTHING;
  const what = movement === 'wider' ? 'is wider than before' : 'did not move';
  const rails = hasSelection(run.data) ? 'a candidate met every guard rail on the select part, but ' : '';
  return notice('Warning', `${rails}on the ${run.data.auditedOn} part the gap ${what}.`);
}

function missingAudit({ run, after }: MitigationInput): Html {
  if (run.outcome.status !== 'improved' || after !== null) return NOTHING;
  return notice(
    'Warning',
    'no audit of the changed model is at hand; the figures after come from the run record.',
  );
}

function chosenControl({ candidates }: RunRecord): Html {
  const chosen = candidates.find(({ isChosen }) => isChosen);
  if (chosen?.kind !== 'control') return NOTHING;
  return notice(
    'Note',
    html`the chosen candidate is a ${CANDIDATE_WORDS.control} (${nameHtml(chosen.id)}), not BMFT, so what changed is not owed to a mask found by importance.`,
  );
}

/** For a rejected run: the cells without a single sample. */
function emptyCells({ data, outcome }: RunRecord): Html {
  if (outcome.status !== 'rejected') return NOTHING;
  const empty = data.parts.flatMap((part) =>
    part.cells
      .filter(({ support }) => support === 0)
      .map(({ group, label }) => html`${nameHtml(group)} with label ${label} in the ${part.name} part`),
  );
  return empty.length === 0 ? NOTHING : notice('Warning', html`no sample at all for ${joinHtml(empty)}.`);
}

function worse({ before, after }: MitigationInput): Html {
  if (after === null) return NOTHING;
  const { gaps, groups } = worsened(before, after);
  return html`${gaps.length === 0 ? NOTHING : notice('Warning', html`some gaps are wider than before: ${firstFew(gaps)}.`)}
${groups.length === 0 ? NOTHING : notice('Warning', html`some groups have a worse figure than before. ${firstFew(groups)}.`)}`;
}

function firstFew(items: readonly Html[]): Html {
  const named = items.slice(0, MOST_NAMED);
  const rest = items.length - named.length;
  const list = rest === 0 ? named : [...named, html`${rest} more, see the tables`];
  return html`${list.map((item, index) => html`${index === 0 ? '' : '; '}${item}`)}`;
}
