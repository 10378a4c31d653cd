import type { GateResult } from '../../fairness/policy/gate.ts';
import type { Interval, Rate, Statistic } from '../../fairness/types.ts';
import { ENGLISH } from '../language/language.ts';
import { NOT_DEFINED, rate } from '../text/format.ts';
import { visibleName } from '../text/names.ts';

/** What an export says besides the audit. */
export interface ExportOptions {
  /** Name of the model. */
  readonly model: string;
  /** Where the scores or predictions came from. */
  readonly source: string;
  /** What a policy says of this audit. */
  readonly gate?: GateResult | undefined;
}

/** A text from outside as Markdown that shows it as it is: on one line, nothing of it read as markup. */
export function markdownText(text: string): string {
  return visibleName(text)
    .replace(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .replace(/[\\`*_{}[\]<>#|~!&]/g, '\\$&');
}

/** A table of GitHub's Markdown. Cells are Markdown already. */
export function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return `${line(columns)}${line(columns.map((_, index) => (index === 0 ? '---' : '---:')))}${rows.map(line).join('')}`;
}

/** `0.512 (0.363 to 0.659)`, or that it is not defined and why. */
export function figureText({ value, interval, reason }: Statistic): string {
  if (value === null) return reason === undefined ? NOT_DEFINED : `${NOT_DEFINED}: ${markdownText(reason)}`;
  return `${rate(value)}${intervalText(interval)}`;
}

/** A rate with its counts: `0.512 (0.363 to 0.659), 21 of 41`. */
export function rateText({ value, interval, numerator, support }: Rate): string {
  if (support === 0 || value === null) return NOT_DEFINED;
  const { t, count } = ENGLISH;
  return `${rate(value)}${intervalText(interval)}, ${t.fraction(count(numerator), count(support))}`;
}

function intervalText(interval: Interval | null): string {
  return interval === null ? '' : ` (${ENGLISH.range(interval)})`;
}
