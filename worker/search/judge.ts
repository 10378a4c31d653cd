import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { CurvePoint, SelectFigures } from '../../core/jobs/run-record.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { extractFeatures } from '../../core/model/predict.ts';
import type { Objective } from '../bmft/objective.ts';
import type { ConvergedHeadOptions, SelectionOptions } from '../bmft/options.ts';
import { solveHead } from '../bmft/solve-head.ts';
import type { TrainingSet } from '../training/batch.ts';
import { truthOf } from '../training/batch.ts';
import { auditSelect, railsOf } from './audit-select.ts';
import type { Candidate } from './candidate.ts';
import { logit, sigmoid } from './logit.ts';
import { operatingPoint } from './operating-point.ts';
import { standardErrorOf, violationsOf } from './selection.ts';
import { restoreSnapshot, takeSnapshot, withHeadOf } from './snapshot.ts';

export interface JudgeInput {
  readonly model: Classifier;
  readonly tune: TrainingSet;
  readonly select: TrainingSet;
  readonly objective: Objective;
  readonly selection: SelectionOptions;
  readonly head: ConvergedHeadOptions;
  /** Decision threshold of the model as it is, on the score. */
  readonly threshold: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a candidate is called and how it came about. */
interface ToJudge
  extends Pick<Candidate, 'kind' | 'id' | 'settings' | 'percentile' | 'maskChoice' | 'isDrawn'> {
  /** Losses of the training so far. */
  readonly curve: readonly CurvePoint[];
}

/** What heads are solved for; the input's where absent. */
interface HeadChoice {
  readonly objective?: Objective;
  readonly disparityWeights?: readonly number[];
}

/** Measures the model as it stands on the select part, against the original's figures. */
export interface Judge {
  /** Figures of the original at the threshold in place. */
  readonly original: SelectFigures;
  /** One candidate: the model with the head that it has. */
  asItStands(about: ToJudge): Promise<Candidate>;
  /** Logits of the model as it stands [rows of select]. */
  logits(): Promise<Float32Array>;
  /** One candidate: the model as it stands, decisions made at its own cut for each group [G] on the logit. */
  atCuts(about: ToJudge, cuts: readonly number[]): Promise<GroupCutCandidate>;
  /** One candidate for each head setting, its head solved on the tune part; the model keeps the head it had. */
  withHeads(about: ToJudge, heads?: HeadChoice): Promise<Candidate[]>;
}

/** Shifts of the logit for each group [G] that bring its cut to the threshold in place. */
export type GroupCutCandidate = Candidate & { readonly groupOffsets: readonly number[] };

/** @param input  its model is the original, at rest */
export async function makeJudge(input: JudgeInput): Promise<Judge> {
  const original = await judgeOriginal(input);
  return {
    original,
    logits: () => selectLogits(input),
    atCuts: (about, cuts) => judgeAtCuts({ input, original, about }, cuts),
    asItStands: (about) => judgeAsItStands({ input, original, about }),
    withHeads: (about, heads = {}) => judgeWithHeads({ input, original, about }, heads),
  };
}

interface Judging {
  readonly input: JudgeInput;
  readonly original: SelectFigures;
  readonly about: ToJudge;
}

async function judgeAsItStands({ input, original, about }: Judging): Promise<Candidate> {
  const { curve, ...facts } = about;
  const logits = await selectLogits(input);
  return {
    ...facts,
    ...measureAtBest({ input, original }, logits),
    snapshot: takeSnapshot(input.model),
    curves: { body: curve, head: [] },
  };
}

async function judgeAtCuts(
  { input, original, about }: Judging,
  cuts: readonly number[],
): Promise<GroupCutCandidate> {
  const { select, threshold, model } = input;
  const { curve, ...facts } = about;
  const cut = logit(threshold);
  const groupOffsets = cuts.map((own) => cut - own);
  const { groups } = truthOf(select, select.rows);
  const logits = (await selectLogits(input)).map((value, row) => value + groupOffsets[groups[row]!]!);
  return {
    ...facts,
    ...measure({ input, original }, logits, cut),
    snapshot: takeSnapshot(model),
    curves: { body: curve, head: [] },
    groupOffsets,
  };
}

async function judgeWithHeads(
  { input, original, about }: Judging,
  { objective = input.objective, disparityWeights = input.head.disparityWeights }: HeadChoice,
): Promise<Candidate[]> {
  const { model, tune, select, head } = input;
  const truth = truthOf(tune, tune.rows);
  const { curve, ...facts } = about;
  const before = takeSnapshot(model);
  const features = await featuresOf(input, tune);
  const selectFeatures = await featuresOf(input, select);
  const candidates = disparityWeights.map((disparityWeight): Candidate => {
    const headCurve = solveHead({ model, features, truth, objective, options: head, disparityWeight });
    return {
      ...facts,
      id: `${about.id}-h${disparityWeight}`,
      settings: { ...about.settings, headDisparityWeight: disparityWeight },
      ...measureAtBest({ input, original }, logitsOf(model, selectFeatures)),
      snapshot: withHeadOf(model, before),
      curves: { body: curve, head: headCurve },
    };
  });
  features.dispose();
  selectFeatures.dispose();
  restoreSnapshot(model, before); // training goes on with the head it had
  return candidates;
}

function featuresOf({ model, signal }: JudgeInput, { inputs, rows }: TrainingSet): Promise<Tensor2D> {
  return extractFeatures({ model, inputs, rows }, { signal });
}

type Measuring = Omit<Judging, 'about'>;
type Measured = Pick<Candidate, 'cut' | 'select' | 'standardError' | 'violations'>;

/** Figures on the select part at the operating point that keeps each group's TPR within its rail. */
function measureAtBest(about: Measuring, logits: Float32Array): Measured {
  const { select, selection, threshold } = about.input;
  if (select.classNames) return measure(about, logits, logit(threshold)); // the highest score decides, without a cut
  const truth = truthOf(select, select.rows);
  const least = about.original.groups.map((group) =>
    Math.max(0, (group.truePositiveRate ?? 0) - selection.maxGroupTprDrop),
  );
  const cut = operatingPoint({ logits, labels: truth.labels, rails: railsOf(select, truth, least) });
  return measure(about, logits, cut);
}

function measure({ input, original }: Measuring, logits: Float32Array, cut: number): Measured {
  const { select, selection, objective } = input;
  const { targets, figures } = auditSelect(select, { logits, cut, metric: objective.metric });
  const measured = { ...figures, threshold: sigmoid(cut) };
  return {
    cut,
    select: measured,
    standardError: standardErrorOf(targets, objective.metric),
    violations: Object.values(violationsOf(measured, original, selection)).flat(),
  };
}

async function judgeOriginal(input: JudgeInput): Promise<SelectFigures> {
  const { select, threshold, objective } = input;
  const logits = await selectLogits(input);
  const { figures } = auditSelect(select, { logits, cut: logit(threshold), metric: objective.metric });
  return { ...figures, threshold };
}

async function selectLogits(input: JudgeInput): Promise<Float32Array> {
  const features = await featuresOf(input, input.select);
  const logits = logitsOf(input.model, features);
  features.dispose();
  return logits;
}

function logitsOf(model: Classifier, features: Tensor2D): Float32Array {
  const logits = model.headLogits(features);
  const values = logits.dataSync() as Float32Array;
  logits.dispose();
  return values;
}
