import type { InputSource } from '../../core/data/types.ts';
import { InvalidInputError } from '../../core/errors.ts';
import type { FoundMask } from '../bmft/find-mask.ts';
import { masksOf, measureRatios } from '../bmft/find-mask.ts';
import type { Objective } from '../bmft/objective.ts';
import { makeObjective } from '../bmft/objective.ts';
import { NO_CHECKPOINTS } from '../checkpoints.ts';
import { findDataProblem } from '../outcome.ts';
import type { Parts } from '../parts.ts';
import { divide } from '../parts.ts';
import { NO_PROGRESS } from '../progress.ts';
import type { Random } from '../random.ts';
import { makeRandom } from '../random.ts';
import type { MitigationJob } from '../run-job.ts';
import type { Judge } from '../search/judge.ts';
import { makeJudge } from '../search/judge.ts';
import type { Snapshot } from '../search/snapshot.ts';
import { restoreSnapshot, takeSnapshot } from '../search/snapshot.ts';
import type { Evaluation } from './evaluate.ts';
import { evaluate } from './evaluate.ts';
import type { ComparedOptions } from './method.ts';

/** A mitigation without its seed and method. */
export interface BenchJob extends Omit<MitigationJob, 'seed' | 'checkpoints'> {
  /** Milliseconds from any origin. */
  readonly now: () => number;
}

/** Work done: rows that went through the network, with or without a backward pass, and time. */
export interface Work {
  readonly rows: number;
  readonly seconds: number;
}

interface Measured<Result> {
  readonly result: Result;
  readonly work: Work;
}

/** A model and its data, loaded once, on which any number of methods run for any number of seeds. */
export interface Bench {
  readonly job: BenchJob & { readonly options: ComparedOptions };
  readonly original: Snapshot;
  /** What the methods of one seed share; the last seed is remembered. */
  at(seed: number): Promise<SeedBench>;
}

export interface SeedBench {
  readonly job: MitigationJob & { readonly options: ComparedOptions };
  readonly parts: Parts;
  readonly random: Random;
  /** Why these data cannot carry any method, in a sentence. */
  readonly problem: string | null;
  /** The original on the audited part. */
  readonly before: Evaluation;
  readonly objective: Objective;
  judge(): Promise<Judge>;
  masks(): Promise<(percentile: number) => FoundMask>;
  /** Runs a method and says what it took, work that an earlier one left for it included. */
  measured<Result>(run: () => Promise<Result>): Promise<Measured<Result>>;
}

/**
 * @param job  its model is the original and comes back to that after every method; the bench disposes nothing
 * @throws InvalidInputError for options without a selection
 */
export function makeBench(job: BenchJob): Bench {
  const { selection, head } = job.options;
  if (selection === null || head.solver !== 'converged') {
    throw new InvalidInputError('options: expected a selection, as the preset "robust" has, received none', {
      where: 'selection',
    });
  }
  const compared = { ...job, options: { ...job.options, selection, head } };
  const original = takeSnapshot(job.model);
  const meter = makeMeter(job);
  let last: { readonly seed: number; readonly bench: Promise<SeedBench> } | null = null;
  return {
    job: compared,
    original,
    at: (seed) => {
      if (last?.seed !== seed) last = { seed, bench: openSeed({ ...compared, seed }, { original, meter }) };
      return last.bench;
    },
  };
}

async function openSeed(
  job: Bench['job'] & { readonly seed: number },
  { original, meter }: { original: Snapshot; meter: Meter },
): Promise<SeedBench> {
  const { model, options, threshold, signal } = job;
  const random = makeRandom(job.seed);
  const counted = { ...job, inputs: meter.inputs, checkpoints: NO_CHECKPOINTS, progress: NO_PROGRESS };
  const parts = divide({ ...counted, selection: options.selection, random });
  restoreSnapshot(model, original);
  const before = await evaluate({ job: counted, parts });
  const objective = makeObjective(options, parts.tune);
  const shared = <Result>(run: () => Promise<Result>) =>
    meter.shared(() => {
      restoreSnapshot(model, original);
      return run();
    });
  const select = parts.select!;
  return {
    job: counted,
    parts,
    random,
    problem: findDataProblem(parts, options),
    before,
    objective,
    judge: shared(() =>
      makeJudge({ model, tune: parts.tune, select, objective, ...options, threshold, signal }),
    ),
    masks: shared(async () => {
      const about = { model, set: parts.tune, objective, options, random: random.fork('importance'), signal };
      const ratios = await measureRatios(about);
      return masksOf(ratios.get(options.disparity.surrogate)!, model, options);
    }),
    measured: meter.measured,
  };
}

interface Meter {
  /** The job's inputs, counted. */
  readonly inputs: InputSource;
  /** Runs once, however often it is asked for, and counts for each who asks. */
  shared<Result>(run: () => Promise<Result>): () => Promise<Result>;
  measured: SeedBench['measured'];
}

function makeMeter({ inputs, now, progress }: BenchJob): Meter {
  let rows = 0;
  let inherited: Work = { rows: 0, seconds: 0 };
  const timed = async <Result>(run: () => Promise<Result>): Promise<Measured<Result>> => {
    const start = { rows, at: now() };
    const result: Result = await run();
    return { result, work: { rows: rows - start.rows, seconds: (now() - start.at) / 1000 } };
  };
  return {
    inputs: {
      ...inputs,
      batch: (asked) => {
        rows += asked.length;
        progress.advance(asked.length);
        return inputs.batch(asked);
      },
    },
    shared: <Result>(run: () => Promise<Result>) => {
      let done: Measured<Result> | null = null;
      return async () => {
        if (done !== null) {
          inherited = sumOf(inherited, done.work);
          return done.result;
        }
        const { result, work } = await timed(run);
        done = { result, work };
        return result;
      };
    },
    measured: async (run) => {
      inherited = { rows: 0, seconds: 0 };
      const { result, work } = await timed(run);
      return { result, work: sumOf(work, inherited) };
    },
  };
}

function sumOf(a: Work, b: Work): Work {
  return { rows: a.rows + b.rows, seconds: a.seconds + b.seconds };
}
