import { setImmediate } from 'node:timers/promises';
import { addChunk, startAccumulator } from '../fairness/accumulator.ts';
import { finishAudit, finishClasses, settingsOf } from '../fairness/audit.ts';
import type { AuditOptions } from '../fairness/audit-defaults.ts';
import { attributeSets } from '../fairness/groups/attribute-sets.ts';
import type { AuditReport } from '../fairness/types.ts';
import { assertGroupCount } from './columns.ts';
import { openPredictions, type PredictionsRequest } from './predictions.ts';
import { assertRunning } from './table.ts';

export interface PredictionsAudit extends PredictionsRequest, AuditOptions {
  /** Score from which a row is predicted positive; not used for predictions and for several classes. */
  readonly threshold: number;
  /** Sensitive features that are combined at most; 1, the default, for none. */
  readonly intersections?: number | undefined;
}

/**
 * Audits a table of predictions in one pass, batch by batch.
 *
 * @throws InvalidInputError as `openPredictions`; EmptyGroupError when small groups are to be refused
 */
export async function auditPredictions(request: PredictionsAudit): Promise<AuditReport> {
  const { columns, threshold, intersections = 1, hooks } = request;
  settingsOf(request); // what is out of range should not cost a pass over the table
  const features = attributeSets(columns.sensitiveFeatures.length, intersections);
  const source = await openPredictions(request);
  const hasThreshold = source.classes === null && columns.score !== undefined;
  const accumulators = (source.classes ?? ['']).map(() =>
    startAccumulator({ threshold: hasThreshold ? threshold : null, features }),
  );
  for await (const chunks of source.chunks()) {
    for (const [place, chunk] of chunks.entries()) addChunk(accumulators[place]!, chunk);
  }
  hooks?.onRead?.();
  await setImmediate(); // lets a last Ctrl-C and the progress bar through
  assertRunning(hooks?.signal);
  const { vocabularies, input } = source.finish();
  assertGroupCount(
    accumulators[0]!.features.map(({ attributes, intersection }) => ({
      groupNames:
        attributes.length === 1
          ? vocabularies.attributes[attributes[0]!]!.groupNames
          : intersection.combinations.map(String),
    })),
    'predictions',
  );
  const report =
    source.classes === null
      ? finishAudit(accumulators[0]!, vocabularies, request)
      : finishClasses(accumulators, { labels: source.classes, vocabularies }, request);
  return { ...report, input };
}
