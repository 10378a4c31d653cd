import type { SetFlips } from '../fairness/flips.ts';
import type { LevelDown } from '../fairness/level-down.ts';
import type { FileRecord, RunRecord } from './run-record.ts';

/** What changed for whom on one audited set. */
export interface DecidedSet {
  /** As in `audited` of the run. */
  readonly name: string;
  /** Null where no changed model was audited. */
  readonly flips: SetFlips | null;
  /** One for each sensitive feature; empty without flips. */
  readonly levelDown: readonly LevelDown[];
}

/** What one person is asked to sign. */
export interface SignatureRequest {
  readonly role: 'data owner' | 'domain lead' | 'ML engineer' | 'compliance officer';
  /** Sentences that the signature says to be so. */
  readonly confirms: readonly string[];
  /** The exact files that it is about. */
  readonly items: readonly FileRecord[];
  /** Null: unsigned. A signature is kept beside the folder, since one inside would change what was signed. */
  readonly signature: null;
}

/** Content of `decision.json`. It holds no time, no path and no row: same run, same bytes. */
export interface DecisionRecord {
  readonly schemaVersion: 1;
  /** SHA-256 of `run.json` without `outputs` and `environment`, as JSON indented by 2 and a line feed. */
  readonly runSha256: string;
  readonly decided: Pick<RunRecord, 'preset' | 'seed' | 'outcome' | 'threshold'> & {
    readonly tool: string;
    /** Id of the candidate that was kept. */
    readonly candidate: string | null;
    readonly auditedOn: string;
    readonly isIndependent: boolean;
  };
  readonly sets: readonly DecidedSet[];
  /** What a person has to look at before the model is used, most serious first. */
  readonly attention: readonly string[];
  readonly signatures: readonly SignatureRequest[];
}
