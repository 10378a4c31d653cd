import type { CandidateRecord, CurvePoint } from '../../core/jobs/run-record.ts';
import type { MaskChoice } from '../bmft/find-mask.ts';
import type { Checkpoint } from '../checkpoints.ts';
import type { Judged } from './selection.ts';
import type { Snapshot } from './snapshot.ts';
import { packSnapshot, unpackSnapshot } from './snapshot.ts';

/** A model that could be chosen: its weights, and what it reached on the select part. */
export interface Candidate extends Judged {
  readonly snapshot: Snapshot;
  /** Percentile of its mask; null when none was used. */
  readonly percentile: number | null;
  /** The mask that its body was tuned by; absent when none was. */
  readonly maskChoice?: MaskChoice;
  /** Found by the search beyond the preset's grid. */
  readonly isDrawn?: boolean;
  /** Cut on the logit found on the select part. */
  readonly cut: number;
  readonly curves: { readonly body: readonly CurvePoint[]; readonly head: readonly CurvePoint[] };
}

export function recordOf(
  { id, kind, settings, select, violations, isDrawn }: Candidate,
  isChosen: boolean,
): CandidateRecord {
  return { id, kind, settings, select, violations, isChosen, ...(isDrawn && { isDrawn }) };
}

export function packCandidates(candidates: readonly Candidate[]): Checkpoint<Omit<Candidate, 'snapshot'>[]> {
  const tensors = candidates.flatMap(({ snapshot }, place) => [...packSnapshot(snapshot, `${place}/`)]);
  return { facts: candidates.map(({ snapshot: _, ...facts }) => facts), tensors: new Map(tensors) };
}

export function unpackCandidates({ facts, tensors }: Checkpoint<Omit<Candidate, 'snapshot'>[]>): Candidate[] {
  return facts.map((fact, place) => ({ ...fact, snapshot: unpackSnapshot(tensors, `${place}/`) }));
}
