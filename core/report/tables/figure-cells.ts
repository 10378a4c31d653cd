import type { Disparity, DisparityName, Rate, RateName, Statistic } from '../../fairness/types.ts';
import { numberCell } from '../page/table.ts';
import { count, NOT_DEFINED, rate } from '../text/format.ts';
import { type Content, type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml, nameList } from '../text/names.ts';
import { DISPARITY_WORDS, NO_SUPPORT_WORDS } from '../text/words.ts';

/** The value that may be shown for a rate: none without support, whatever the file says. */
export function shownRate({ value, support }: Rate): number | null {
  return support > 0 ? value : null;
}

/** The value that may be shown for a disparity: none while a group is left out. */
export function shownDisparity({ value, unsupportedGroups }: Disparity): number | null {
  return unsupportedGroups.length === 0 ? value : null;
}

/** `0.512` over `21 of 41`, or `not defined` over the reason. */
export function rateCell(name: RateName, measured: Rate): Html {
  if (measured.support === 0) return numberCell(undefinedText(), NO_SUPPORT_WORDS[name]);
  const fraction = html`<span class="fraction">${count(measured.numerator)} of ${count(measured.support)}</span>`;
  return measured.value === null
    ? numberCell(undefinedText(), fraction)
    : numberCell(rate(measured.value), fraction);
}

export function statisticCell({ value, reason }: Statistic): Html {
  if (value !== null) return numberCell(rate(value));
  return numberCell(undefinedText(), reason ?? 'no reason recorded');
}

/** The gap over all groups, and where a group lacks support the gap among the others with those left out named. */
export function disparityCell(name: DisparityName, disparity: Disparity): Html {
  const value = shownDisparity(disparity);
  if (value !== null) return numberCell(rate(value), spanOf(name, disparity));
  const lines: Html[] = [];
  if (disparity.reason !== undefined) lines.push(html`${disparity.reason}`);
  if (disparity.amongSupported !== null) {
    lines.push(html`${rate(disparity.amongSupported)} among the groups with support`);
  }
  if (disparity.unsupportedGroups.length > 0) {
    lines.push(html`left out: ${nameList(disparity.unsupportedGroups)}`);
  }
  return numberCell(
    undefinedText(),
    lines.map((line, index) => html`${index === 0 ? NOTHING : html`<br>`}${line}`),
  );
}

/** Where no group is lower than another, none is named as such. */
function spanOf(name: DisparityName, { between, value }: Disparity): Content {
  if (between === undefined) return '';
  if (value === (DISPARITY_WORDS[name].isRatio ? 1 : 0)) return 'all groups equal';
  const [lowest, highest] = between;
  return html`lowest ${nameHtml(lowest)}<br>highest ${nameHtml(highest)}`;
}

/** Set apart by slant as well as by words. */
export function undefinedText(): Html {
  return html`<em>${NOT_DEFINED}</em>`;
}
