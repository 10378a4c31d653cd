import { subset } from '../../core/data/split.ts';
import { MISSING_GROUP } from '../../core/data/types.ts';
import { audit } from '../../core/fairness/audit.ts';
import type { SelectFigures } from '../../core/jobs/run-record.ts';
import { predictScores } from '../../core/model/predict.ts';
import type { AuditedSet } from '../audited-set.ts';
import { featureNamed } from '../audited-set.ts';
import { auditedFigures } from '../outcome.ts';
import type { Parts } from '../parts.ts';
import type { MitigationJob } from '../run-job.ts';
import { logit, sigmoid } from '../search/logit.ts';

/** Truth of the audited part, row by row. */
interface AuditedRows {
  /** [N] 0 or 1 */
  readonly labels: Int32Array;
  /** [N] index into `groupNames`; -1 for a row without a value of the feature */
  readonly groups: Int32Array;
  readonly groupNames: readonly string[];
  /** [N] number of the subject; its own for each row where rows have none */
  readonly subjects: Int32Array;
}

/** What a model decides about each audited row: for comparisons in memory, never to be written. */
export interface Decisions {
  readonly rows: AuditedRows;
  /** [N] in [0, 1] */
  readonly scores: Float64Array;
  /** [N] 0 or 1 */
  readonly predictions: Uint8Array;
}

export interface Evaluation {
  readonly figures: SelectFigures;
  readonly decisions: Decisions;
}

export interface EvaluateInput {
  readonly job: MitigationJob;
  readonly parts: Parts;
  /** On the score; the job's when absent. */
  readonly threshold?: number;
  /** Shift of the logit for each group [G] of the tune part; rows of no such group are not shifted. */
  readonly groupOffsets?: readonly number[] | undefined;
}

/** Scores the set that decides an outcome with the model as it stands and audits it, as `mitigate` does. */
export async function evaluate(input: EvaluateInput): Promise<Evaluation> {
  const { job, parts, threshold = job.threshold, groupOffsets } = input;
  const [set] = parts.audited;
  const rows = auditedRowsOf(set, job.sensitiveFeature);
  const raw = await predictScores({ ...set, model: job.model }, { signal: job.signal });
  const tuned = rows.groupNames.map((name) => parts.tune.groupNames.indexOf(name));
  const scores = Float64Array.from(raw, (score, row) => {
    const offset = groupOffsets?.[tuned[rows.groups[row]!] ?? -1] ?? 0;
    return offset === 0 ? score : sigmoid(logit(score) + offset);
  });
  const part = subset({ ...set.samples, sensitiveFeatures: set.sensitiveFeatures }, set.rows);
  const report = audit({
    ...part,
    decisions: { scores, threshold },
    replicates: 0,
    intersections: job.further?.intersections,
  });
  return {
    figures: auditedFigures(report, job, parts),
    decisions: {
      rows,
      scores,
      predictions: Uint8Array.from(scores, (score) => (score >= threshold ? 1 : 0)),
    },
  };
}

function auditedRowsOf({ samples, sensitiveFeatures, rows }: AuditedSet, name: string): AuditedRows {
  const feature = featureNamed({ ...samples, sensitiveFeatures }, name);
  const missing = feature.groupNames.indexOf(MISSING_GROUP); // the last, where there is one
  const numbers = new Map<string, number>();
  return {
    labels: Int32Array.from(rows, (row) => samples.labels[row]!),
    groups: Int32Array.from(rows, (row) => {
      const group = feature.groups[row]!;
      return group === missing ? -1 : group;
    }),
    groupNames: feature.groupNames.filter((group) => group !== MISSING_GROUP),
    subjects: Int32Array.from(rows, (row, place) => {
      if (!samples.subjects) return place;
      const subject = samples.subjects[row]!;
      if (!numbers.has(subject)) numbers.set(subject, numbers.size);
      return numbers.get(subject)!;
    }),
  };
}
