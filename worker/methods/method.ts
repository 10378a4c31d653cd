import type { Classifier } from '../../core/model/classifier.ts';
import type { FoundMask } from '../bmft/find-mask.ts';
import type { Objective } from '../bmft/objective.ts';
import type { ConvergedHeadOptions, MitigationOptions, SelectionOptions } from '../bmft/options.ts';
import type { Parts } from '../parts.ts';
import type { Random } from '../random.ts';
import type { MitigationJob } from '../run-job.ts';
import type { Candidate } from '../search/candidate.ts';
import type { GroupCutCandidate, Judge } from '../search/judge.ts';
import type { SearchResult } from '../search/search.ts';
import type { TrainingSet } from '../training/batch.ts';

/** A way to lower a disparity, or a control, that a comparison runs beside others. */
export interface Method {
  readonly name: string;
  /** What it does, in a sentence. */
  readonly about: string;
  /** Paper that it comes from, or what it is a control for. */
  readonly source: string;
  /** Passes over the tune part that it takes, about: for a progress bar. */
  expectedEpochs(options: ComparedOptions): number;
  /** Models to choose from; the model that it is given is at its original weights, and may be left anywhere. */
  propose(context: MethodContext): Promise<Proposal>;
}

/** What every method of one seed is given: the same parts, the same objective, the same judge. */
export interface MethodContext {
  readonly model: Classifier;
  readonly tune: TrainingSet;
  readonly select: TrainingSet;
  readonly parts: Parts;
  readonly objective: Objective;
  readonly options: ComparedOptions;
  /** Decision threshold of the model as it is, on the score. */
  readonly threshold: number;
  readonly judge: Judge;
  /** Of the seed; a method forks what it draws by a name of its own. */
  readonly random: Random;
  /** BMFT's masks, measured once a seed for all methods that ask. */
  masks(): Promise<(percentile: number) => FoundMask>;
  /** The job as `mitigate` would have it. */
  readonly job: MitigationJob;
  readonly signal?: AbortSignal | undefined;
}

/** Settings with a selection: without one there is nothing that methods could be chosen by alike. */
export type ComparedOptions = MitigationOptions & {
  readonly selection: SelectionOptions;
  readonly head: ConvergedHeadOptions;
};

export type Proposal =
  /** One is chosen as `mitigate` chooses; the original stays when none may be. */
  | { readonly kind: 'candidates'; readonly candidates: readonly MethodCandidate[] }
  /** Chosen already, by the search of `mitigate`. */
  | ({ readonly kind: 'searched' } & SearchResult)
  /** The model as it was left, without a selection. */
  | { readonly kind: 'as-left' }
  /** The original is the result. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'not-applicable'; readonly reason: string };

/** A candidate, with what a model alone cannot do. */
export type MethodCandidate = Candidate & Partial<Pick<GroupCutCandidate, 'groupOffsets'>>;

/** Why a method that is defined for the groups of one feature does not run on several. */
export const ONE_FEATURE = 'defined for the groups of one sensitive feature, several are mitigated at once';
