import { subset } from '../core/data/split.ts';
import type { InputSource, Samples } from '../core/data/types.ts';
import { audit } from '../core/fairness/audit.ts';
import type { AuditOptions } from '../core/fairness/audit-defaults.ts';
import { auditClasses, highestClasses } from '../core/fairness/class-audit.ts';
import type { AuditReport, SensitiveFeature } from '../core/fairness/types.ts';
import type { Classifier } from '../core/model/classifier.ts';
import { predictScores } from '../core/model/predict.ts';
import type { Progress } from './progress.ts';

export interface AuditPartInput {
  readonly model: Classifier;
  readonly inputs: InputSource;
  readonly samples: Samples;
  /** Over all samples; may differ from those of `samples` in the groups that they keep. */
  readonly sensitiveFeatures: readonly SensitiveFeature[];
  readonly rows: readonly number[];
  readonly threshold: number;
  readonly auditOptions?: AuditOptions & { readonly intersections?: number | undefined };
  readonly stage: string;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
}

/** Scores the rows with the model as it stands and audits them. */
export async function auditPart(input: AuditPartInput): Promise<AuditReport> {
  return (await scoreAndAudit(input)).report;
}

/**
 * The audit of some rows with what was predicted for them.
 *
 * @returns `predictions` [N] 0 or 1, or the class of the highest score, in the order of the rows
 */
export async function scoreAndAudit(
  input: AuditPartInput,
): Promise<{ readonly report: AuditReport; readonly predictions: Uint8Array }> {
  const { model, inputs, samples, sensitiveFeatures, rows, threshold, stage, progress, signal } = input;
  progress.start(stage, rows.length);
  const scores = await predictScores({ model, inputs, rows }, { onProgress: progress.advance, signal });
  const part = subset({ ...samples, sensitiveFeatures }, rows);
  if (part.classNames) {
    const { classNames } = part;
    return {
      report: auditClasses({ ...part, ...input.auditOptions, classNames, scores }),
      predictions: highestClasses(scores, classNames.length),
    };
  }
  return {
    report: audit({ ...part, ...input.auditOptions, decisions: { scores, threshold } }),
    predictions: Uint8Array.from(scores, (score) => (score >= threshold ? 1 : 0)),
  };
}
