import type { AuditReport } from '../../core/fairness/types.ts';
import type { RunRecord } from '../../core/jobs/run-record.ts';

export type CheckName =
  | 'files'
  | 'record'
  | 'audits'
  | 'outcome'
  | 'mask'
  | 'decision'
  | 'report'
  | 'model'
  | 'inputs'
  | 'scores';

/** What one check found about one file or figure. */
export interface Finding {
  readonly check: CheckName;
  /** `not-checked` says why in its message. */
  readonly status: 'same' | 'differs' | 'not-checked';
  readonly message: string;
}

/** Content of `counterweight verify --json`. */
export interface VerifyReport {
  readonly schemaVersion: 1;
  /** `consistent`: nothing differs, among what was checked. */
  readonly verdict: 'consistent' | 'differs';
  /** SHA-256 of `run.json` as it lies there: what signatures name. */
  readonly runSha256: string;
  readonly findings: readonly Finding[];
}

/** A run folder whose `run.json` could be read. */
export interface RunFolder {
  readonly folder: string;
  readonly run: RunRecord;
}

/** The audits of one set. */
export interface SetAudits {
  readonly before: AuditReport;
  readonly after: AuditReport | null;
}
