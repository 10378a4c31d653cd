import type { CandidateRecord, CurvePoint } from '../../core/jobs/run-record.ts';
import { batchesBy } from '../bmft/batches.ts';
import type { FoundMask } from '../bmft/find-mask.ts';
import type { MitigationOptions } from '../bmft/options.ts';
import { tuneBody } from '../bmft/tune-body.ts';
import type { BlobStore } from '../checkpoints.ts';
import { resumable } from '../checkpoints.ts';
import type { Random } from '../random.ts';
import type { TrainingSet } from '../training/batch.ts';
import type { Candidate } from './candidate.ts';
import { packCandidates, recordOf, unpackCandidates } from './candidate.ts';
import type { Judge, JudgeInput } from './judge.ts';
import { makeJudge } from './judge.ts';
import { chooseCandidate } from './selection.ts';
import type { Snapshot } from './snapshot.ts';
import { restoreSnapshot, takeSnapshot } from './snapshot.ts';

export interface SearchInput extends JudgeInput {
  readonly maskAt: (percentile: number) => FoundMask;
  readonly options: MitigationOptions;
  readonly random: Random;
  readonly checkpoints: BlobStore;
  readonly onBatch?: (() => void) | undefined;
}

export interface SearchResult {
  readonly candidates: readonly CandidateRecord[];
  /** Null when no candidate met the guard rails; the model is then as it was. */
  readonly chosen: Candidate | null;
}

interface BodySettings {
  readonly percentile: number;
  readonly learningRate: number;
  readonly disparityWeight: number;
}

/** One of the processes that a search is spread over. */
export interface Shard {
  /** 0 … count - 1 */
  readonly index: number;
  readonly count: number;
}

/**
 * Trains every setting of the grid on the tune part, judges each checkpoint with each head on the select part
 * and leaves the model at the choice. Settings that an earlier attempt or another process has judged are not
 * judged again.
 *
 * @see docs/method.md#selection
 */
export async function search(input: SearchInput): Promise<SearchResult> {
  const { model } = input;
  const start = takeSnapshot(model);
  const judge = await makeJudge(input);
  const candidates: Candidate[] = [];
  for (const settings of allSettings(input.options)) {
    candidates.push(...(await judgeSettings(input, settings, { start, judge })));
  }
  const chosen = chooseCandidate(candidates, judge.original);
  restoreSnapshot(model, chosen?.snapshot ?? start);
  const unchanged = {
    id: 'original',
    kind: 'original',
    settings: {},
    select: judge.original,
    violations: [],
  } as const;
  return {
    candidates: [
      { ...unchanged, isChosen: chosen === null },
      ...candidates.map((candidate) => recordOf(candidate, candidate === chosen)),
    ],
    chosen,
  };
}

/** Judges the settings of one shard, whose results the search then finds; the model ends as it began. */
export async function searchShard(input: SearchInput, { index, count }: Shard): Promise<void> {
  const start = takeSnapshot(input.model);
  const judge = await makeJudge(input);
  const own = allSettings(input.options).filter((_, place) => place % count === index);
  for (const settings of own) await judgeSettings(input, settings, { start, judge });
  restoreSnapshot(input.model, start);
}

/** The control, which leaves the body alone, then the grid. */
function allSettings(options: MitigationOptions): (BodySettings | null)[] {
  return [null, ...bodyGrid(options)];
}

async function judgeSettings(
  input: SearchInput,
  settings: BodySettings | null,
  { start, judge }: { start: Snapshot; judge: Judge },
): Promise<Candidate[]> {
  const judged = await resumable(
    input.checkpoints,
    `candidates-${settings ? nameOf(settings) : HEAD_ONLY.id}`,
    async () => {
      restoreSnapshot(input.model, start);
      return packCandidates(
        settings ? await tuneAndJudge(input, settings, judge) : await judge.withHeads(HEAD_ONLY),
      );
    },
  );
  return unpackCandidates(judged);
}

/** The control: body as it is, head refitted. */
export const HEAD_ONLY = {
  kind: 'control',
  id: 'head-only',
  settings: {},
  percentile: null,
  curve: [],
} as const;

function nameOf({ percentile, learningRate, disparityWeight }: BodySettings): string {
  return `p${percentile}-lr${learningRate}-d${disparityWeight}`;
}

function bodyGrid({ mask, body }: MitigationOptions): BodySettings[] {
  return mask.percentiles.flatMap((percentile) =>
    body.learningRates.flatMap((learningRate) =>
      body.disparityWeights.map((disparityWeight) => ({ percentile, learningRate, disparityWeight })),
    ),
  );
}

/** Batches of training that a search takes, for a progress bar. */
export function searchBatches(options: MitigationOptions, tune: TrainingSet): number {
  return bodyGrid(options).length * options.body.epochs * Math.ceil(tune.rows.length / options.batchSize);
}

async function tuneAndJudge(input: SearchInput, settings: BodySettings, judge: Judge): Promise<Candidate[]> {
  const { model, tune, options, objective, selection } = input;
  const { percentile, learningRate, disparityWeight } = settings;
  const random = input.random.fork(`body/${percentile}/${learningRate}/${disparityWeight}`);
  const judged: Candidate[] = [];
  const curve: CurvePoint[] = [];
  await tuneBody({
    model,
    set: tune,
    mask: input.maskAt(percentile).mask,
    objective,
    options: options.body,
    settings,
    batchesOf: batchesBy(options.body.batching, tune, { options, random }),
    random,
    onEpoch: async (epoch, losses) => {
      curve.push({ step: epoch + 1, ...losses });
      if (!selection.checkpoints.includes(epoch + 1)) return;
      const id = `${nameOf(settings)}-e${epoch + 1}`;
      const about = { kind: 'bmft', id, settings: { ...settings, epochs: epoch + 1 }, percentile } as const;
      judged.push(...(await judge.withHeads({ ...about, curve: [...curve] })));
    },
    onBatch: input.onBatch,
    signal: input.signal,
  });
  return judged;
}
