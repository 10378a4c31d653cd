import { type Drift, driftOf } from '../core/fairness/drift/drift.ts';
import { withGate } from '../core/fairness/policy/gate.ts';
import type { Policy } from '../core/fairness/policy/schema.ts';
import type { AuditReport } from '../core/fairness/types.ts';
import { addToHistory, readHistory } from './audit-history.ts';

export interface JudgeOptions {
  readonly policy?: Policy | undefined;
  /** An earlier audit; the last of the history when absent. */
  readonly baseline?: AuditReport | undefined;
  /** Folder with earlier audits of the same subject; this one is added. */
  readonly history?: string | undefined;
  readonly now: Date;
}

/** What follows from an audit. */
export interface AuditOutcome {
  /** With what the policy found, where there is one. */
  readonly report: AuditReport;
  /** null without a history */
  readonly drift: Drift | null;
}

/**
 * Holds an audit against its policy and its history, and adds it to the history.
 *
 * @throws StorageError or InvalidInputError when the history cannot be read or written
 */
export async function judgeAudit(audit: AuditReport, options: JudgeOptions): Promise<AuditOutcome> {
  const { policy, history, now } = options;
  const earlier = history === undefined ? [] : await readHistory(history);
  const report = withGate(audit, policy, options.baseline ?? earlier.at(-1)?.report);
  if (history === undefined) return { report, drift: null };
  await addToHistory(history, { time: now, report });
  return { report, drift: driftOf([...earlier, { time: now, report }]) };
}
