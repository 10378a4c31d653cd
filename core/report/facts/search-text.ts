import type { SearchRecord } from '../../jobs/run-record.ts';
import { plural } from '../text/format.ts';

/** What a search tried beyond the preset's grid, in a sentence. */
export function searchSentence({ budget, gridSettings, brackets, epochs, diverged }: SearchRecord): string {
  const grid = `${plural(gridSettings, 'setting')} of the preset`;
  if (brackets.length === 0) {
    return `The budget of ${budget} left nothing beyond the ${grid}, which took ${plural(epochs, 'epoch')}.`;
  }
  const drawn = brackets.reduce((sum, [first]) => sum + (first?.settings ?? 0), 0);
  const races = brackets.map((bracket) =>
    bracket.map(({ epoch, settings }) => `${settings} to epoch ${epoch}`).join(', '),
  );
  const shown = [...new Set(races)].join('; ');
  return `Beside the ${grid}, ${drawn} more were drawn and raced in ${plural(brackets.length, 'bracket')} of successive halving (${shown}), ${plural(epochs, 'epoch')} of training in all, within a budget of ${budget}.${diverged > 0 ? ` ${plural(diverged, 'drawn setting')} left the finite numbers in training and lost.` : ''}`;
}
