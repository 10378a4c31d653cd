import type { DecisionRecord } from '../../core/jobs/decision-record.ts';
import type { RunRecord } from '../../core/jobs/run-record.ts';
import { levelDownSentences } from '../decision/attention.ts';
import { printable } from './tables.ts';

/** What the figures of a mitigation do not show by themselves: who lost, and what the check of the data found. */
export function decisionText(
  { sets, decided }: Pick<DecisionRecord, 'sets' | 'decided'>,
  check: RunRecord['check'],
): string {
  // a candidate that was not kept takes nothing from anybody
  const lost = decided.outcome.status === 'improved' ? sets.flatMap(levelDownSentences) : [];
  return [...lost, ...checkSentence(check)].map((sentence) => `- ${printable(sentence)}`).join('\n');
}

function checkSentence(check: RunRecord['check']): string[] {
  if (check === undefined) return ['The data was not checked before: the check is for one label at a time.'];
  if (check.findings.length === 0) return [];
  const { length } = check.findings;
  const despite = check.isOverruled ? ', and the run was told to go on' : '';
  return [
    `The check calls the data ${check.verdict} (${length} ${length === 1 ? 'finding' : 'findings'} in check.json and the report)${despite}.`,
  ];
}
