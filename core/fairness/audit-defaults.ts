import type { ReferenceChoice } from './reference-group.ts';
import type { MinSupport } from './types.ts';

/** How an audit is made; see `AUDIT_DEFAULTS`. */
export interface AuditOptions {
  /** Of every interval, in (0, 1). */
  readonly level?: number;
  /** Draws of every bootstrap; 0 for none, which leaves out the intervals and tests that rest on draws. */
  readonly replicates?: number;
  readonly seed?: number;
  /** At which specificity is measured, in (0, 1]. */
  readonly sensitivity?: number;
  readonly minSupport?: Partial<MinSupport>;
  readonly reference?: ReferenceChoice;
}

/** A rate over fewer than 30 rows moves by more than 3 points a row. */
const MIN_SUPPORT: MinSupport = { group: 30, positives: 30, negatives: 30, action: 'mark' };

export const AUDIT_DEFAULTS = {
  level: 0.95,
  replicates: 2_000,
  seed: 0,
  /** What clinicians ask of a screening test. */
  sensitivity: 0.9,
  minSupport: MIN_SUPPORT,
  reference: 'largest',
} as const satisfies Required<AuditOptions>;
