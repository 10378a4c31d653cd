import type { Interval } from '../../fairness/types.ts';
import { rate, signed, threshold } from '../text/format.ts';
import { ENGLISH_MESSAGES, type Messages } from './english.ts';
import { JAPANESE_MESSAGES } from './japanese.ts';

export type LanguageCode = 'en' | 'ja';

/** Words, and how numbers and dates are written. Decimals are written alike in all of these languages. */
export interface Language {
  readonly code: LanguageCode;
  readonly t: Messages;
  readonly rate: (value: number | null) => string;
  readonly signed: (value: number) => string;
  readonly count: (value: number) => string;
  readonly percent: (share: number) => string;
  readonly threshold: (value: number) => string;
  readonly range: (interval: Pick<Interval, 'low' | 'high'>) => string;
  /** Day, in UTC. */
  readonly day: (time: Date) => string;
  /** Day and minute, in UTC. */
  readonly minute: (time: Date) => string;
}

function makeLanguage(code: LanguageCode, t: Messages): Language {
  const counts = new Intl.NumberFormat(code, { maximumFractionDigits: 1 });
  const percents = new Intl.NumberFormat(code, { style: 'percent', maximumFractionDigits: 1 });
  const days = new Intl.DateTimeFormat(code, { dateStyle: 'medium', timeZone: 'UTC' });
  const minutes = new Intl.DateTimeFormat(code, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
  const figure = (value: number | null) =>
    value === null || !Number.isFinite(value) ? t.notDefined : rate(value);
  return {
    code,
    t,
    rate: figure,
    signed,
    count: (value) => counts.format(value),
    percent: (share) => percents.format(share),
    threshold,
    range: ({ low, high }) => t.range(figure(low), figure(high)),
    day: (time) => days.format(time),
    minute: (time) => minutes.format(time),
  };
}

export const ENGLISH: Language = makeLanguage('en', ENGLISH_MESSAGES);

const BY_CODE: Readonly<Record<LanguageCode, Language>> = {
  en: ENGLISH,
  ja: makeLanguage('ja', JAPANESE_MESSAGES),
};

export function languageOf(code: LanguageCode): Language {
  return BY_CODE[code];
}
