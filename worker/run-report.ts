import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { AuditReport } from '../core/fairness/types.ts';
import type { DecisionRecord } from '../core/jobs/decision-record.ts';
import type { Explanation } from '../core/jobs/explanation.ts';
import type { RunRecord } from '../core/jobs/run-record.ts';
import type { MitigationInput } from '../core/report/facts/headline.ts';
import { renderMitigationReport } from '../core/report/mitigation-report.ts';

export const DECISION_FILE = 'decision.json';
export const EXPLANATION_FILE = 'explanation.json';
export const REPORT_FILE = 'report.html';

/**
 * The report of a run folder. It shows what is in `run.json` and in files of the folder and nothing else, so that
 * `verify` can make it again from them, byte for byte.
 *
 * @param run  with every output but the report itself
 */
export async function renderRunReport(folder: string, run: RunRecord): Promise<string> {
  return renderMitigationReport(await readReportInput(folder, run));
}

async function readReportInput(folder: string, run: RunRecord): Promise<MitigationInput> {
  const [first] = run.audited;
  const isExplained = run.outputs.some(({ name }) => name === EXPLANATION_FILE);
  const [before, after, decision, explanation] = await Promise.all([
    readFolderJson<AuditReport>(folder, first!.before),
    first!.after === null ? null : readFolderJson<AuditReport>(folder, first!.after),
    readFolderJson<DecisionRecord>(folder, DECISION_FILE),
    isExplained ? readFolderJson<Explanation>(folder, EXPLANATION_FILE) : undefined,
  ]);
  return { run, before, after, decision, explanation };
}

/** A file that a run wrote, parsed. */
export async function readFolderJson<Content>(folder: string, name: string): Promise<Content> {
  return JSON.parse(await readFile(path.join(folder, name), 'utf8')) as Content;
}
