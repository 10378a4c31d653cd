import type { NormalizationDistance } from './normalization-distance.ts';
import type { CellSupport, Reach } from './supports.ts';
import type { ScoreHistograms, TwoSetsTest } from './two-sets.ts';

/** `unfit`: a run on this data would mislead or fail. `usable with care`: it says less, or something else, than it seems. */
type CheckVerdict = 'fit' | 'usable with care' | 'unfit';

/** How far a finding takes the verdict. */
type Severity = 'care' | 'unfit';

/** One thing that is wrong with the data, or not known well enough. Holds counts and figures, never a row. */
export interface Finding {
  /** What was found, the same for every group and part: `empty-cell`, `near-duplicates`, … (docs/check.md). */
  readonly code: string;
  readonly severity: Severity;
  /** One sentence with its numbers. */
  readonly reason: string;
  /** What to collect or repair, in a sentence. */
  readonly repair: string;
}

/** What a check means for a run: its verdict, and what it is made of. */
export interface CheckSummary {
  readonly verdict: CheckVerdict;
  /** Most serious first. */
  readonly findings: readonly Finding[];
  /** What could not be looked at, a sentence each. */
  readonly notChecked?: readonly string[];
}

/** Content of `check.json`. It holds no time, no path and no row: same data, same bytes. */
export interface DataCheck extends CheckSummary {
  readonly schemaVersion: 1;
  readonly cells: readonly CellSupport[];
  readonly reach: readonly Reach[];
  /** From what the model's batch normalisations remember of training; null where it has none, or rows are too few. */
  readonly distance: NormalizationDistance | null;
  /** External data against the test, and all of it against the reference. */
  readonly twoSets: readonly TwoSetsTest[];
  /** Of external data and test, by the groups of the first feature. */
  readonly histograms: ScoreHistograms | null;
}

/** The worst severity decides; no finding, no doubt. */
function verdictOf(findings: readonly Finding[]): CheckVerdict {
  if (findings.some(({ severity }) => severity === 'unfit')) return 'unfit';
  return findings.length > 0 ? 'usable with care' : 'fit';
}

/** Most serious first, else in the order received. */
export function summarize(findings: readonly Finding[]): CheckSummary {
  const of = (severity: Severity) => findings.filter((finding) => finding.severity === severity);
  return { verdict: verdictOf(findings), findings: [...of('unfit'), ...of('care')] };
}
