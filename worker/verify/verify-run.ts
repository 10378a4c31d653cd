import { createHash } from 'node:crypto';
import { InterruptedError, isCounterweightError } from '../../core/errors.ts';
import { auditInconsistencies } from '../../core/fairness/audit-consistency.ts';
import type { DecisionRecord } from '../../core/jobs/decision-record.ts';
import { DECISION_FILE, REPORT_FILE, renderRunReport } from '../run-report.ts';
import { VERSION } from '../version.ts';
import { decisionProblems } from './check-decision.ts';
import { filesProblems, MASK_FILE } from './check-files.ts';
import { maskProblems } from './check-mask.ts';
import { outcomeProblems, recordProblems } from './check-outcome.ts';
import { readAudits, readBytes, readOwnJson, readRun } from './read-run.ts';
import type { CheckName, Finding, RunFolder, SetAudits, VerifyReport } from './types.ts';

/** More than these of one check say nothing new. */
const MOST_PROBLEMS = 20;

export interface VerifyOptions {
  /** SHA-256 of `run.json` as it was noted elsewhere. */
  readonly expected?: string | undefined;
  /** Checks that need the original model or the data; they come last. */
  readonly further?: ((run: RunFolder) => Promise<Finding[]>) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Recomputes everything of a run folder that follows from the rest of it. Writes nothing.
 *
 * @throws InvalidInputError when the folder has no `run.json` that can be read
 */
export async function verifyRun(folder: string, options: VerifyOptions): Promise<VerifyReport> {
  const { text, ...own } = await readRun(folder);
  const runSha256 = createHash('sha256').update(text).digest('hex');
  const findings = [
    ...findingsOf('record', expectedProblems(runSha256, options.expected), 'run.json has the form of a run'),
    ...(await check(
      'files',
      () => filesProblems(own),
      `${own.run.outputs.length} outputs have their sizes and hashes`,
    )),
  ];
  throwIfStopped(options.signal);
  const audits = await readSets(own);
  if (Array.isArray(audits)) {
    findings.push(...(await folderFindings(own, audits)));
    throwIfStopped(options.signal);
    findings.push(...((await options.further?.(own)) ?? []));
  } else {
    findings.push(audits, ...(await skipped('scores', 'the audits cannot be read')));
  }
  const differs = findings.some(({ status }) => status === 'differs');
  return { schemaVersion: 1, verdict: differs ? 'differs' : 'consistent', runSha256, findings };
}

function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new InterruptedError('the check was stopped');
}

function expectedProblems(found: string, expected: string | undefined): string[] {
  if (expected === undefined || expected === found) return [];
  return ['run.json does not have the SHA-256 that was expected: it is another one than was signed'];
}

/** The audits of every set, or why they cannot be read. */
async function readSets({ folder, run }: RunFolder): Promise<SetAudits[] | Finding> {
  try {
    return await Promise.all(run.audited.map((set) => readAudits(folder, set)));
  } catch (error) {
    return { check: 'audits', status: 'differs', message: messageOf(error) };
  }
}

async function folderFindings(own: RunFolder, audits: readonly SetAudits[]): Promise<Finding[]> {
  const { folder, run } = own;
  const { mask } = run;
  const groups = [
    check('audits', () => auditProblems(own, audits), 'audits follow from their counts'),
    check(
      'record',
      () => recordProblems(run, audits),
      'figures, supports and threshold are those of the audits',
    ),
    check('outcome', () => outcomeProblems(run, audits), `the audits lead to "${run.outcome.status}"`),
    mask === null
      ? skipped('mask', 'the run made no mask')
      : check(
          'mask',
          async () => maskProblems(await readBytes(folder, MASK_FILE), mask),
          'the mask has the entries that run.json counts',
        ),
    check(
      'decision',
      async () => {
        const decision = (await readOwnJson(folder, DECISION_FILE)) as DecisionRecord;
        return decisionProblems(run, audits, decision);
      },
      'the decision follows from run.json, audits and flips',
    ),
    run.tool.version === VERSION
      ? check('report', () => reportProblems(own), 'the report is the one that this folder makes')
      : skipped(
          'report',
          `version ${run.tool.version} wrote the report, this is ${VERSION}: it may be worded otherwise`,
        ),
  ];
  return (await Promise.all(groups)).flat();
}

function auditProblems({ run }: RunFolder, audits: readonly SetAudits[]): string[] {
  return audits.flatMap(({ before, after }, place) => {
    const names = run.audited[place]!;
    const of = [[names.before, before], ...(after === null ? [] : [[names.after, after] as const])] as const;
    return of.flatMap(([name, audit]) =>
      audit.schemaVersion === 2
        ? auditInconsistencies(audit).map((problem) => `${name}: ${problem}`)
        : [`${name}: schemaVersion is ${String(audit.schemaVersion)}, expected 2`],
    );
  });
}

async function reportProblems({ folder, run }: RunFolder): Promise<string[]> {
  const outputs = run.outputs.filter(({ name }) => name !== REPORT_FILE);
  const rendered = await renderRunReport(folder, { ...run, outputs });
  const found = Buffer.from(await readBytes(folder, REPORT_FILE)).toString('utf8');
  if (found === rendered) return [];
  const [lines, others] = [found.split('\n'), rendered.split('\n')];
  const line = lines.findIndex((text, place) => text !== others[place]);
  return [
    `${REPORT_FILE} is not the one that run.json and the audits make, from line ${(line === -1 ? others.length : line) + 1} on`,
  ];
}

/** One finding for each problem, or one that says that there is none. A file that cannot be read is a problem. */
export async function check(
  name: CheckName,
  find: () => readonly string[] | Promise<readonly string[]>,
  same: string,
): Promise<Finding[]> {
  try {
    return findingsOf(name, await find(), same);
  } catch (error) {
    if (isCounterweightError(error) && error.code === 'INTERRUPTED') throw error;
    return [{ check: name, status: 'differs', message: messageOf(error) }];
  }
}

function findingsOf(check: CheckName, problems: readonly string[], same: string): Finding[] {
  if (problems.length === 0) return [{ check, status: 'same', message: same }];
  const rest = problems.length - MOST_PROBLEMS;
  return [...problems.slice(0, MOST_PROBLEMS), ...(rest > 0 ? [`and ${rest} more`] : [])].map((message) => ({
    check,
    status: 'differs',
    message,
  }));
}

export function skipped(check: CheckName, message: string): Promise<Finding[]> {
  return Promise.resolve([{ check, status: 'not-checked', message }]);
}

/** Errors that are not ours come from content that no run writes; their text may hold some of it. */
function messageOf(error: unknown): string {
  if (isCounterweightError(error)) return error.message;
  return 'it cannot be checked: a file has content that no run writes';
}
