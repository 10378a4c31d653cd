import type { CurvePoint } from '../../core/jobs/run-record.ts';
import { batchesBy } from '../bmft/batches.ts';
import type { FoundMask, MaskChoice } from '../bmft/find-mask.ts';
import { onSurrogate } from '../bmft/objective.ts';
import type { MitigationOptions } from '../bmft/options.ts';
import { startTuning } from '../bmft/tune-body.ts';
import type { Random } from '../random.ts';
import type { Candidate } from './candidate.ts';
import type { Contender, Standing } from './halving.ts';
import type { Judge, JudgeInput } from './judge.ts';
import type { Snapshot } from './snapshot.ts';
import { restoreSnapshot, takeSnapshot } from './snapshot.ts';
import type { BodySettings, DrawnSettings } from './space.ts';
import { nameOf, recordedSettings } from './space.ts';

export interface TrainInput extends JudgeInput {
  readonly maskOf: (choice: MaskChoice) => FoundMask;
  readonly options: MitigationOptions;
  readonly random: Random;
  readonly onBatch?: (() => void) | undefined;
}

/** What all settings of a search have in common. */
export interface Trial<Input extends TrainInput = TrainInput> {
  readonly input: Input;
  readonly judge: Judge;
  /** The original. */
  readonly start: Snapshot;
}

/**
 * Stage 1 under one setting, judged wherever it rests, with each head. Its draws depend on the seed and the setting
 * only: neither what trained before nor what trains while it rests makes a difference.
 *
 * @param judged  takes every candidate that it comes to
 */
export function trainSettings(
  { input, judge, start }: Trial,
  settings: BodySettings | DrawnSettings,
  judged: Candidate[],
): Contender {
  const { model, tune, options, head } = input;
  const { percentile, learningRate, disparityWeight, surrogate } = settings;
  const own = options.disparity.surrogate;
  const objective = onSurrogate(input.objective, surrogate);
  const random = input.random.fork(`body/${percentile ?? 'soft'}/${learningRate}/${disparityWeight}`);
  const curve: CurvePoint[] = [];
  const training = startTuning({
    model,
    set: tune,
    mask: input.maskOf(settings).mask,
    objective,
    options: options.body,
    settings,
    batchesOf: batchesBy(options.body.batching, tune, { options, random }),
    random,
    onEpoch: (epoch, losses) => void curve.push({ step: epoch + 1, ...losses }),
    onBatch: input.onBatch,
    signal: input.signal,
  });
  const isDrawn = 'headDisparityWeight' in settings;
  const heads = {
    objective,
    disparityWeights: [...head.disparityWeights, ...(isDrawn ? [settings.headDisparityWeight] : [])],
  };
  let rest = start;
  return {
    async reach(epoch) {
      restoreSnapshot(model, rest);
      await training.run(epoch - curve.length);
      if (curve.length < epoch) return standingOf([]); // nothing in the mask, so nothing was trained
      const about = {
        kind: 'bmft',
        id: `${nameOf(settings, own)}-e${epoch}`,
        settings: { ...recordedSettings(settings, own), epochs: epoch },
        percentile,
        maskChoice: { percentile, surrogate },
        ...(isDrawn && { isDrawn }),
        curve: [...curve],
      } as const;
      const candidates = await judge.withHeads(about, heads);
      judged.push(...candidates);
      rest = takeSnapshot(model);
      return standingOf(candidates);
    },
    dispose: training.dispose,
  };
}

/** That of the best head: the smallest disparity among those that break least. */
function standingOf(candidates: readonly Candidate[]): Standing {
  const fewest = Math.min(...candidates.map(({ violations }) => violations.length));
  const disparities = candidates
    .filter(({ violations, select }) => violations.length === fewest && select.disparity !== null)
    .map(({ select }) => select.disparity!);
  return { violations: fewest, disparity: disparities.length > 0 ? Math.min(...disparities) : null };
}
