import type { Disparity, DisparityName, Interval, Rate, RateName, Statistic } from '../../fairness/types.ts';
import { ENGLISH, type Language } from '../language/language.ts';
import { numberCell } from '../page/table.ts';
import { type Content, type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml, nameList } from '../text/names.ts';
import { DISPARITY_WORDS } from '../text/words.ts';

/** The value that may be shown for a rate: none without support, whatever the file says. */
export function shownRate({ value, support }: Rate): number | null {
  return support > 0 ? value : null;
}

/** The value that may be shown for a disparity: none while a group is left out. */
export function shownDisparity({ value, unsupportedGroups }: Disparity): number | null {
  return unsupportedGroups.length === 0 ? value : null;
}

/** `0.512` over `21 of 41` and its interval, or `not defined` over the reason. */
export function rateCell(name: RateName, measured: Rate, language: Language = ENGLISH): Html {
  const { t, count, rate } = language;
  if (measured.support === 0) return numberCell(undefinedText(language), t.noSupport[name]);
  const fraction = html`<span class="fraction">${t.fraction(count(measured.numerator), count(measured.support))}</span>`;
  return measured.value === null
    ? numberCell(undefinedText(language), fraction)
    : numberCell(rate(measured.value), html`${fraction}${intervalLine(measured.interval, language)}`);
}

export function statisticCell(statistic: Statistic, language: Language = ENGLISH): Html {
  const { value, reason, interval, errorBound } = statistic;
  const { t, rate } = language;
  if (value === null) {
    return numberCell(undefinedText(language), reason === undefined ? t.noReason : t.sentence(reason));
  }
  const bound = errorBound === undefined || errorBound < 0.0005 ? '' : html` ±${rate(errorBound)}`;
  return numberCell(html`${rate(value)}${bound}`, rangeText(interval, language));
}

function intervalLine(interval: Interval | null, language: Language): Html {
  return interval === null ? NOTHING : html`<br>${rangeText(interval, language)}`;
}

/** An interval on one line; empty where there is none. */
export function rangeText(interval: Pick<Interval, 'low' | 'high'> | null, { range }: Language): Content {
  return interval === null ? '' : html`<span class="range">${range(interval)}</span>`;
}

/** The gap over all groups, and where a group lacks support the gap among the others with those left out named. */
export function disparityCell(name: DisparityName, disparity: Disparity, language: Language = ENGLISH): Html {
  const { t, rate } = language;
  const value = shownDisparity(disparity);
  if (value !== null) return numberCell(rate(value), spanOf(name, disparity, language));
  const lines: Content[] = [];
  if (disparity.reason !== undefined) lines.push(t.sentence(disparity.reason));
  if (disparity.amongSupported !== null) {
    lines.push(t.groupsSection.amongSupported(rate(disparity.amongSupported)));
  }
  if (disparity.unsupportedGroups.length > 0) {
    lines.push(t.groupsSection.leftOut(nameList(disparity.unsupportedGroups, language)));
  }
  return numberCell(
    undefinedText(language),
    lines.map((line, index) => html`${index === 0 ? NOTHING : html`<br>`}${line}`),
  );
}

/** Where no group is lower than another, none is named as such. */
function spanOf(name: DisparityName, { between, value }: Disparity, language: Language): Content {
  const { groupsSection } = language.t;
  if (between === undefined) return '';
  if (value === (DISPARITY_WORDS[name].isRatio ? 1 : 0)) return groupsSection.allEqual;
  const [lowest, highest] = between.map((group) => nameHtml(group, language));
  return html`${groupsSection.lowest(lowest!)}<br>${groupsSection.highest(highest!)}`;
}

/** Set apart by slant as well as by words. */
export function undefinedText({ t }: Language = ENGLISH): Html {
  return html`<em>${t.notDefined}</em>`;
}
