import { NonFiniteError, UnsupportedModelError } from '../../core/errors.ts';
import type { SelectFigures } from '../../core/jobs/run-record.ts';
import { reasonsAgainst, whyNoneChosen } from '../outcome.ts';
import type { Judge } from '../search/judge.ts';
import { chooseCandidate } from '../search/selection.ts';
import type { Snapshot } from '../search/snapshot.ts';
import { restoreSnapshot, takeSnapshot } from '../search/snapshot.ts';
import { keepThreshold } from '../tune.ts';
import type { Bench, SeedBench, Work } from './bench.ts';
import type { Decisions, Evaluation } from './evaluate.ts';
import { evaluate } from './evaluate.ts';
import type { Method, MethodCandidate, MethodContext, Proposal } from './method.ts';

/**
 * `improved` and `not-improved` as `mitigate` has them, on the audited part. `reference`: the original itself.
 * `not-applicable`: the model or the data lack what the method works on. `failed`: its training left the finite
 * numbers. `rejected`: the data cannot carry any method.
 */
type MethodStatus = 'reference' | 'improved' | 'not-improved' | 'not-applicable' | 'failed' | 'rejected';

interface MethodCost {
  /** Rows that went through the network, forward or both ways, over those of the tune part. */
  readonly epochs: number;
  readonly seconds: number;
  /** Weights and running statistics that differ from the original's; for thresholds, their number. */
  readonly parametersTouched: number;
}

export interface MethodResult {
  readonly method: string;
  readonly seed: number;
  readonly status: MethodStatus;
  /** What stands against the method, in sentences. */
  readonly reasons: readonly string[];
  /** Groups that lost more than a rail allows on the audited part: noted, as in `mitigate`, not decisive. */
  readonly violations: readonly string[];
  /** On the audited part. */
  readonly before: SelectFigures;
  /** Of the chosen model, or of the original where none was chosen; null where the method did not run. */
  readonly after: SelectFigures | null;
  readonly chosen: Pick<MethodCandidate, 'id' | 'kind' | 'settings'> | null;
  /** Candidates that were judged. */
  readonly candidates: number;
  readonly cost: MethodCost;
  /** Of the model that `after` is about, row by row, beside the original's: in memory only. */
  readonly decisions: { readonly before: Decisions; readonly after: Decisions | null };
}

/**
 * One method for one seed: it proposes models, one is chosen on the select part, and that is audited on the
 * audited part. The model is back at its original weights afterwards.
 *
 *   const bench = makeBench({ model, samples, inputs, sensitiveFeature, splits, options, threshold, ... });
 *   for (const seed of seeds)
 *     for (const method of methods) results.push(await runMethod(bench, METHODS[method], seed));
 *
 * Loop over methods inside of seeds: what methods of one seed share is measured once.
 *
 * @throws InterruptedError when the job's signal aborts
 * @see docs/compare.md
 */
export async function runMethod(bench: Bench, method: Method, seed: number): Promise<MethodResult> {
  const { job } = bench;
  const shared = await bench.at(seed);
  const report = { method: method.name, seed, shared };
  job.progress.start(
    `${method.name}, seed ${seed}`,
    method.expectedEpochs(job.options) * shared.parts.tune.rows.length,
  );
  if (shared.problem !== null) return withoutResult(report, 'rejected', shared.problem);
  try {
    const judge = await shared.judge(); // measures the original for all methods, which is no cost of one
    const { result: proposal, work } = await shared.measured(() => {
      restoreSnapshot(job.model, bench.original);
      return method.propose(contextOf(bench, shared, judge));
    });
    if (proposal.kind === 'not-applicable') return withoutResult(report, 'not-applicable', proposal.reason);
    return await conclude(bench, proposal, { ...report, work });
  } catch (error) {
    if (error instanceof NonFiniteError) return withoutResult(report, 'failed', error.message);
    if (error instanceof UnsupportedModelError) return withoutResult(report, 'not-applicable', error.message);
    throw error;
  } finally {
    restoreSnapshot(job.model, bench.original);
  }
}

function contextOf({ job }: Bench, shared: SeedBench, judge: Judge): MethodContext {
  const { model, options, threshold, signal } = job;
  const { parts, objective, random, masks } = shared;
  return {
    ...{ model, options, threshold, signal, parts, objective, random, judge, masks, job: shared.job },
    tune: parts.tune,
    select: parts.select!,
  };
}

type Ran = Exclude<Proposal, { kind: 'not-applicable' }>;

interface Report {
  readonly method: string;
  readonly seed: number;
  readonly shared: SeedBench;
}

function withoutResult(
  { method, seed, shared: { before } }: Report,
  status: MethodStatus,
  reason: string,
): MethodResult {
  return {
    ...{ method, seed, status, reasons: [reason], violations: [], before: before.figures, after: null },
    ...{ chosen: null, candidates: 0, cost: { epochs: 0, seconds: 0, parametersTouched: 0 } },
    decisions: { before: before.decisions, after: null },
  };
}

async function conclude(
  bench: Bench,
  proposal: Ran,
  { method, seed, shared, work }: Report & { readonly work: Work },
): Promise<MethodResult> {
  const { before, parts } = shared;
  const { candidates, chosen } = choiceOf(proposal, (await shared.judge()).original);
  const isChanged = chosen !== null || proposal.kind === 'as-left';
  const after = isChanged ? await evaluateChoice(bench, shared, chosen) : before;
  return {
    method,
    seed,
    ...verdictOf({ proposal, isChanged, candidates, before, after }),
    before: before.figures,
    after: after.figures,
    chosen: chosen && { id: chosen.id, kind: chosen.kind, settings: chosen.settings },
    candidates: candidates.length,
    cost: {
      epochs: work.rows / parts.tune.rows.length,
      seconds: work.seconds,
      parametersTouched: isChanged ? touchedBy(bench, chosen) : 0,
    },
    decisions: { before: before.decisions, after: after.decisions },
  };
}

/** @param chosen  null for the model as it was left */
async function evaluateChoice(
  { job: { model, threshold } }: Bench,
  { job, parts }: SeedBench,
  chosen: MethodCandidate | null,
): Promise<Evaluation> {
  if (chosen === null) return evaluate({ job, parts, threshold });
  restoreSnapshot(model, chosen.snapshot);
  const { groupOffsets, cut } = chosen;
  if (groupOffsets) return evaluate({ job, parts, threshold, groupOffsets });
  return evaluate({ job, parts, threshold: keepThreshold(model, threshold, cut).value });
}

interface ToConclude {
  readonly proposal: Ran;
  readonly isChanged: boolean;
  readonly candidates: Parameters<typeof whyNoneChosen>[0];
  readonly before: Evaluation;
  readonly after: Evaluation;
}

function verdictOf(about: ToConclude): Pick<MethodResult, 'status' | 'reasons' | 'violations'> {
  const { proposal, isChanged, candidates, before, after } = about;
  if (proposal.kind === 'unchanged') return { status: 'reference', reasons: [], violations: [] };
  const { decisive, noted } = isChanged
    ? reasonsAgainst(before.figures, after.figures)
    : whyNoneChosen(candidates);
  const status = decisive.length === 0 ? 'improved' : 'not-improved';
  return { status, reasons: decisive, violations: noted };
}

function touchedBy({ job, original }: Bench, chosen: MethodCandidate | null): number {
  return chosen?.groupOffsets?.length ?? changedEntries(takeSnapshot(job.model), original);
}

function choiceOf(
  proposal: Ran,
  original: SelectFigures,
): { candidates: Parameters<typeof whyNoneChosen>[0]; chosen: MethodCandidate | null } {
  if (proposal.kind === 'candidates') {
    const { candidates } = proposal;
    return { candidates, chosen: chooseCandidate(candidates, original) };
  }
  if (proposal.kind === 'searched') {
    const { candidates, chosen } = proposal;
    return { candidates: candidates.filter(({ kind }) => kind !== 'original'), chosen };
  }
  return { candidates: [], chosen: null };
}

/** Entries that differ in value between two snapshots of one model. */
function changedEntries(now: Snapshot, original: Snapshot): number {
  let changed = 0;
  for (const [name, values] of original) {
    const other = now.get(name)!;
    for (let place = 0; place < values.length; place += 1) if (values[place] !== other[place]) changed += 1;
  }
  return changed;
}
