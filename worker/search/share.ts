import { frontierOf } from '../../core/jobs/frontier.ts';
import type { BlobStore } from '../checkpoints.ts';
import { resumable } from '../checkpoints.ts';
import type { Progress } from '../progress.ts';
import { budgetOf } from './budget.ts';
import type { Candidate } from './candidate.ts';
import { packCandidates, unpackCandidates } from './candidate.ts';
import type { Bracket, BracketRules } from './halving.ts';
import { epochsOf, largestBracket, losingWhenDiverged, planBrackets, runBracket } from './halving.ts';
import { restoreSnapshot } from './snapshot.ts';
import type { BodySettings } from './space.ts';
import { bodyGrid, makeSpace, nameOf } from './space.ts';
import type { TrainInput, Trial } from './train-settings.ts';
import { trainSettings } from './train-settings.ts';

export interface ShareInput extends TrainInput {
  readonly checkpoints: BlobStore;
  readonly progress: Progress;
  /** Milliseconds from any origin. */
  readonly now: () => number;
}

/** One of the processes that a search is spread over. */
export interface Shard {
  /** 0 … count - 1 */
  readonly index: number;
  readonly count: number;
}

/** The control, one setting of the grid, or one bracket: what a process does at a stretch, and keeps when it is done. */
export interface Unit {
  /** Its place in the whole search. */
  readonly order: number;
  readonly candidates: readonly Candidate[];
  /** Trained. */
  readonly epochs: number;
  readonly seconds: number;
  /** Null for the control and the grid. */
  readonly bracket: Bracket | null;
  /** Drawn settings whose training left the finite numbers. */
  readonly diverged: number;
}

type Done = Pick<Unit, 'candidates' | 'epochs' | 'bracket' | 'diverged'>;

/** What one of so many processes does, in order; with a budget of time, as far as its own goes. */
export async function runShare(trial: Trial<ShareInput>, { index, count }: Shard): Promise<Unit[]> {
  const { options, progress } = trial.input;
  const settings: (BodySettings | null)[] = [null, ...bodyGrid(options)];
  const own = [...settings.entries()].filter(([place]) => place % count === index);
  const units: Unit[] = [];
  const bodies = own.filter(([, each]) => each !== null).length;
  progress.start('search', bodies * gridEpochs(trial.input) * batchesOf(trial));
  for (const [order, each] of own) units.push(await runSettings(trial, order, each));
  if (options.search === null) return units;
  const bracketAt = planOf(trial.input, count);
  for (let place = modulo(index - settings.length, count); ; place += count) {
    const bracket = bracketAt(place, units);
    if (bracket === null) return units;
    units.push(await runRace(trial, { order: settings.length + place, place, bracket }));
  }
}

const modulo = (value: number, by: number) => ((value % by) + by) % by;

/** Epochs at which settings rest and are judged. */
function checkpointsOf({ options: { body }, selection }: ShareInput): number[] {
  return [...new Set(selection.checkpoints)].filter((epoch) => epoch <= body.epochs).sort((a, b) => a - b);
}

/** Epochs of one setting of the grid. */
function gridEpochs(input: ShareInput): number {
  return checkpointsOf(input).at(-1) ?? 0;
}

/** Batches of an epoch. */
function batchesOf({ input: { options, tune } }: Trial): number {
  return Math.ceil(tune.rows.length / options.batchSize);
}

/** The control, which leaves the body alone, or one setting of the grid, which is trained to its end whatever it shows. */
function runSettings(trial: Trial<ShareInput>, order: number, settings: BodySettings | null): Promise<Unit> {
  const { input, judge, start } = trial;
  const { options, model } = input;
  const name = settings === null ? HEAD_ONLY.id : nameOf(settings, options.disparity.surrogate);
  return keep(input, { name: `candidates-${name}`, order }, async () => {
    if (settings === null) {
      restoreSnapshot(model, start);
      return { candidates: await judge.withHeads(HEAD_ONLY), epochs: 0, bracket: null, diverged: 0 };
    }
    const candidates: Candidate[] = [];
    const contender = trainSettings(trial, settings, candidates);
    try {
      for (const epoch of checkpointsOf(input)) await contender.reach(epoch);
    } finally {
      contender.dispose();
    }
    return { candidates, epochs: gridEpochs(input), bracket: null, diverged: 0 };
  });
}

/** The control: body as it is, head refitted. */
export const HEAD_ONLY = {
  kind: 'control',
  id: 'head-only',
  settings: {},
  percentile: null,
  curve: [],
} as const;

interface Race {
  readonly order: number;
  /** Number of the bracket, from 0. */
  readonly place: number;
  readonly bracket: Bracket;
}

/** A bracket of settings that are drawn for its place. */
function runRace(trial: Trial<ShareInput>, { order, place, bracket }: Race): Promise<Unit> {
  const { input, judge } = trial;
  const { options, progress, random } = input;
  const drawn = makeSpace(options.search!, random);
  return keep(input, { name: `bracket-${place}`, order }, async () => {
    const candidates: Candidate[] = [];
    let diverged = 0;
    const enter = (entrant: number) => {
      const settings = drawn(place * options.search!.settings + entrant);
      return losingWhenDiverged(trainSettings(trial, settings, candidates), () => {
        diverged += 1;
      });
    };
    await runBracket(bracket, enter, ({ epoch, settings }, rung) => {
      const epochs = epoch - (bracket[rung - 1]?.epoch ?? 0);
      const stage = `bracket ${place + 1}, rung ${rung + 1} of ${bracket.length}: ${settings} ${settings === 1 ? 'setting' : 'settings'} to epoch ${epoch}`;
      progress.start(stage, settings * epochs * batchesOf(trial));
    });
    // the weights of the others could never be chosen, and would make a large checkpoint
    const front = new Set(frontierOf(candidates, judge.original));
    const kept = candidates.map((each) => (front.has(each) ? each : { ...each, snapshot: new Map() }));
    return { candidates: kept, epochs: epochsOf(bracket), bracket, diverged };
  });
}

/** A unit from the checkpoints, or done and kept there, with the time that it took. */
async function keep(
  { checkpoints, now }: ShareInput,
  { name, order }: { readonly name: string; readonly order: number },
  run: () => Promise<Done>,
): Promise<Unit> {
  const { facts, tensors } = await resumable(checkpoints, name, async () => {
    const startedAt = now();
    const { candidates, ...about } = await run();
    const packed = packCandidates(candidates);
    const seconds = (now() - startedAt) / 1000;
    return { facts: { ...about, seconds, candidates: packed.facts }, tensors: packed.tensors };
  });
  return { ...facts, order, candidates: unpackCandidates({ facts: facts.candidates, tensors }) };
}

type Plan = (place: number, done: readonly Unit[]) => Bracket | null;

/**
 * The bracket of a place (from 0), null when the budget is used up. With a budget of epochs it depends on nothing
 * else; with one of time, on what the process has noted of its own units, so that whoever looks later finds the same.
 */
function planOf(input: ShareInput, processes: number): Plan {
  const { options } = input;
  const { settings, factor, budget: text } = options.search!;
  const rules: BracketRules = { epochs: checkpointsOf(input), settings, factor };
  if (rules.epochs.length === 0) return () => null;
  const gridTakes = bodyGrid(options).length * gridEpochs(input);
  const budget = budgetOf(text, gridTakes);
  if (budget.unit === 'epochs') {
    const planned = planBrackets(budget.epochs - gridTakes, rules);
    return (place) => planned[place] ?? null;
  }
  return (_, done) => {
    const sum = (pick: (unit: Unit) => number) => done.reduce((total, unit) => total + pick(unit), 0);
    const [seconds, epochs] = [sum((unit) => unit.seconds), sum((unit) => unit.epochs)];
    const left = budget.secondsOf(processes) - seconds;
    if (left <= 0) return null;
    // a process without a share of the grid has measured nothing yet
    return epochs === 0
      ? largestBracket(Number.POSITIVE_INFINITY, rules)
      : largestBracket((left * epochs) / seconds, rules);
  };
}
