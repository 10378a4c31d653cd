import type { Bounds } from '../../fairness/statistics/mover.ts';
import type { PairedDifference } from '../../jobs/run-record.ts';

/** What an interval of a difference of disparities says about the method that comes first. */
export function effectOf(interval: Bounds | null): 'lower' | 'undecided' | 'higher' {
  if (interval !== null && interval.high < 0) return 'lower';
  if (interval !== null && interval.low > 0) return 'higher';
  return 'undecided';
}

interface MaskComparison {
  readonly method: string;
  readonly control: string;
  readonly disparity: PairedDifference;
  readonly auc: PairedDifference;
}

const CONTROL_WORDS: Readonly<Record<string, string>> = {
  'random-mask': 'a random mask of the same size',
  'all-ones-mask': 'no mask at all (every weight of the body tuned)',
  'head-only': 'refitting the head alone',
};

/** Whether a mask earned its keep against a control, in a sentence. */
export function maskSentence(
  { method, control, disparity, auc }: MaskComparison,
  { level }: { readonly level: number },
): string {
  const against = CONTROL_WORDS[control] ?? control;
  if (disparity.value === null) return `${method} against ${against}: the disparity is not defined.`;
  if (isSame(disparity) && isSame(auc)) {
    return `${method}: the same figures as with ${against} in every draw, because both kept the original model or chose the same one: the mask has not earned its keep against it.`;
  }
  const size = Math.abs(disparity.value).toFixed(3);
  const bounds = intervalText(disparity.interval, level);
  const verdict = {
    lower: `disparity ${size} lower than with ${against} (${bounds}), so the mask earned its keep against it`,
    higher: `disparity ${size} higher than with ${against} (${bounds}): the mask made it worse`,
    undecided: `no difference in disparity from ${against} that these data can show (${signed(disparity.value)}, ${bounds}), so the mask has not earned its keep against it`,
  }[effectOf(disparity.interval)];
  return `${method}: ${verdict}; ${aucClause(auc, level)}.`;
}

/** Not a small difference but none at all: an interval of width zero would read as a precise measurement. */
export function isSame({ value, interval }: PairedDifference): boolean {
  return value === 0 && interval !== null && interval.low === 0 && interval.high === 0;
}

function aucClause({ value, interval }: PairedDifference, level: number): string {
  if (value === null) return 'the AUC is not defined';
  const bounds = intervalText(interval, level);
  const opposite = { lower: 'lower', higher: 'higher', undecided: null }[effectOf(interval)];
  if (opposite === null) return `no difference in AUC that these data can show (${signed(value)}, ${bounds})`;
  return `AUC ${Math.abs(value).toFixed(3)} ${opposite} (${bounds})`;
}

function intervalText(interval: Bounds | null, level: number): string {
  if (interval === null) return 'no interval: too many draws leave a group without rows';
  return `${Math.round(100 * level)} % interval ${signed(interval.low)} to ${signed(interval.high)}`;
}

function signed(value: number): string {
  const text = value.toFixed(3);
  return value > 0 && Number(text) !== 0 ? `+${text}` : text.replace(/^-(0\.0+)$/, '$1');
}
