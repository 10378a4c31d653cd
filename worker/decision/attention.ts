import type { GroupLoss } from '../../core/fairness/level-down.ts';
import type { DecidedSet } from '../../core/jobs/decision-record.ts';
import type { RunRecord } from '../../core/jobs/run-record.ts';
import type { DecisionSet } from './make-decision.ts';

/** Below it one row moves a rate by more than 0.033; such groups are named. */
const SMALL_SUPPORT = 30;

/** Below it the mask is hardly more than what this sample happened to give. */
const LOW_STABILITY = 0.4;

const RECORDED = 'Recorded with the outcome: ';

/** What a person has to look at before the model is used: sentences made from the facts of the run. */
export function attentionOf(
  run: RunRecord,
  sets: readonly DecisionSet[],
  decided: readonly DecidedSet[],
): string[] {
  return [
    ...outcomeSentences(run),
    ...(run.data.isIndependent
      ? []
      : ['The audited data also steered the run, so its figures are optimistic: audit on data of its own.']),
    ...decided.flatMap(levelDownSentences),
    ...decided.flatMap(harmSentences),
    ...sets.flatMap((set) => setSentences(set, run)),
    ...checkSentences(run),
    ...maskSentences(run),
  ];
}

function outcomeSentences({ outcome }: RunRecord): string[] {
  const kept =
    outcome.status === 'improved'
      ? []
      : [`The outcome is ${outcome.status}: the original model stays in use.`];
  return [...kept, ...outcome.reasons.map((reason) => `${RECORDED}${reason}`)];
}

const FIGURE_NAMES = {
  truePositiveRate: 'true positive rate',
  falsePositiveRate: 'false positive rate',
  auc: 'AUC',
} as const satisfies Record<GroupLoss['figure'], string>;

/** Whether a disparity of a set fell by somebody's loss, a sentence for each feature where it did or may have. */
export function levelDownSentences({ name, levelDown }: DecidedSet): string[] {
  return levelDown.flatMap(({ sensitiveFeature, status, losses, undefinedFigures }) => {
    const where = `On "${name}", by ${sensitiveFeature}`;
    if (status === 'levelled-down') {
      const worse = losses
        .filter(({ isBeyondRail, isCertain }) => isBeyondRail || isCertain)
        .map(
          ({ group, figure, before: from, after: to }) =>
            `${FIGURE_NAMES[figure]} of "${group}" (${from.toFixed(3)} to ${to.toFixed(3)})`,
        );
      return [`${where}: the disparity fell while a group got worse (levelling down): ${worse.join(', ')}.`];
    }
    if (status !== 'undetermined') return [];
    const missing = undefinedFigures.length > 0 ? ` (${undefinedFigures.join(', ')})` : '';
    return [`${where}: whether a group lost cannot be told, since figures are not defined${missing}.`];
  });
}

function harmSentences({ name, flips }: DecidedSet): string[] {
  const features = flips?.features ?? [];
  return features.flatMap(({ sensitiveFeature, groups }) =>
    groups
      .filter(({ gained, lost }) => lost > gained)
      .map(
        ({ group, gained, lost }) =>
          `On "${name}", ${sensitiveFeature} "${group}" lost ${lost} correct decisions and gained ${gained}.`,
      ),
  );
}

function setSentences({ name, before, after }: DecisionSet, { outcome }: RunRecord): string[] {
  const sizes = before.features.flatMap(({ sensitiveFeature, groups }) =>
    groups.flatMap(({ group, positives, negatives }) =>
      (
        [
          ['positives', positives],
          ['negatives', negatives],
        ] as const
      )
        .filter(([, support]) => support < SMALL_SUPPORT)
        .map(
          ([label, support]) =>
            `${support === 0 ? 'no' : support} ${label} of ${sensitiveFeature} "${group}"`,
        ),
    ),
  );
  const small = sizes.length === 0 ? [] : [`"${name}" is small: it holds ${sizes.join(', ')}.`];
  const pick = (report: typeof before) =>
    report.features.find(({ sensitiveFeature }) => sensitiveFeature === outcome.sensitiveFeature)
      ?.disparities[outcome.metric].value ?? null;
  const [from, to] = [pick(before), after && pick(after)];
  const rose =
    from !== null && to !== null && to > from
      ? [`On "${name}" the disparity rose from ${from.toFixed(3)} to ${to.toFixed(3)}.`]
      : [];
  return [...rose, ...small];
}

function checkSentences({ check }: RunRecord): string[] {
  if (check === undefined) return [];
  const { findings, notChecked = [] } = check;
  const overruled = check.isOverruled
    ? ['The check called the data unfit, and the run was told to go on.']
    : [];
  return [
    ...overruled,
    ...findings.map(({ reason }) => `Check of the data: ${reason}`),
    ...notChecked.map((sentence) => `Not checked. ${sentence}`),
  ];
}

function maskSentences({ mask, candidates }: RunRecord): string[] {
  const chosen = candidates.find(({ isChosen }) => isChosen);
  const control =
    chosen?.kind === 'control' ? [`The kept candidate "${chosen.id}" is a control: no mask was used.`] : [];
  if (mask === null || mask.stability === null || mask.stability >= LOW_STABILITY) return control;
  return [...control, `Two halves of the data give masks that overlap by ${mask.stability.toFixed(2)} only.`];
}
