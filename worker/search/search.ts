import { frontierOf } from '../../core/jobs/frontier.ts';
import type { CandidateRecord, SearchRecord } from '../../core/jobs/run-record.ts';
import type { Candidate } from './candidate.ts';
import { recordOf } from './candidate.ts';
import { makeJudge } from './judge.ts';
import { chooseCandidate } from './selection.ts';
import type { Shard, ShareInput, Unit } from './share.ts';
import { runShare } from './share.ts';
import { restoreSnapshot, takeSnapshot } from './snapshot.ts';
import { bodyGrid } from './space.ts';
import type { Trial } from './train-settings.ts';

export interface SearchInput extends Omit<ShareInput, 'onBatch'> {
  /** Processes that the search is spread over. */
  readonly shards: number;
}

export interface SearchResult {
  readonly candidates: readonly CandidateRecord[];
  /** Null when no candidate met the guard rails; the model is then as it was. */
  readonly chosen: Candidate | null;
  /** Null where only the grid was tried. */
  readonly search: SearchRecord | null;
}

/**
 * Trains every setting of the grid on the tune part, then brackets of drawn settings as far as the budget goes, judges
 * each where it rests with each head on the select part, and leaves the model at the choice. What an earlier attempt
 * or another process has judged is not judged again.
 *
 * @see docs/search.md
 */
export async function search(input: SearchInput): Promise<SearchResult> {
  const { model, options, shards } = input;
  const trial = await openTrial(input);
  const units: Unit[] = [];
  for (let index = 0; index < shards; index += 1) {
    for (const unit of await runShare(trial, { index, count: shards })) {
      units.push(unit);
      dropBeaten(units, trial);
    }
  }
  units.sort((a, b) => a.order - b.order);
  const candidates = units.flatMap((unit) => unit.candidates);
  const { original } = trial.judge;
  const chosen = chooseCandidate(candidates, original);
  restoreSnapshot(model, chosen?.snapshot ?? trial.start);
  const unchanged = {
    id: 'original',
    kind: 'original',
    settings: {},
    select: original,
    violations: [],
  } as const;
  return {
    candidates: [
      { ...unchanged, isChosen: chosen === null },
      ...candidates.map((candidate) => recordOf(candidate, candidate === chosen)),
    ],
    chosen,
    search: options.search && {
      budget: options.search.budget,
      gridSettings: bodyGrid(options).length,
      brackets: units.flatMap(({ bracket }) => (bracket ? [bracket] : [])),
      epochs: units.reduce((sum, { epochs }) => sum + epochs, 0),
      diverged: units.reduce((sum, { diverged }) => sum + diverged, 0),
    },
  };
}

/** Judges the share of one shard, whose results the search then finds; the model ends as it began. */
export async function searchShard(input: SearchInput, shard: Shard): Promise<void> {
  const trial = await openTrial(input);
  await runShare(trial, shard);
  restoreSnapshot(input.model, trial.start);
}

async function openTrial(input: SearchInput): Promise<Trial<ShareInput>> {
  const start = takeSnapshot(input.model);
  const judge = await makeJudge(input);
  return { input: { ...input, onBatch: () => input.progress.advance() }, judge, start };
}

/** A beaten candidate can never be chosen: its weights need not stay. */
function dropBeaten(units: Unit[], { judge: { original } }: Trial): void {
  const front = new Set(
    frontierOf(
      units.flatMap(({ candidates }) => candidates),
      original,
    ),
  );
  for (const [place, unit] of units.entries()) {
    const candidates = unit.candidates.map((candidate) =>
      front.has(candidate) ? candidate : { ...candidate, snapshot: new Map() },
    );
    units[place] = { ...unit, candidates };
  }
}
