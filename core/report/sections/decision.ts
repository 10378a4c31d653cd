import type { GroupFlips, SetFlips } from '../../fairness/flips.ts';
import type { GroupLoss, LevelDown } from '../../fairness/level-down.ts';
import type { DecidedSet, DecisionRecord, SignatureRequest } from '../../jobs/decision-record.ts';
import { ENGLISH } from '../language/language.ts';
import { bulletList, disclosure, notice, paragraph, type Section } from '../page/layout.ts';
import { numberCell, row, table, textCell } from '../page/table.ts';
import { count, plural, rate, signed } from '../text/format.ts';
import { type Html, html, NOTHING } from '../text/html.ts';
import { nameHtml } from '../text/names.ts';

/** What was decided, what changed for whom, what to look at, and who signs what. */
export function decisionSection({ sets, attention, signatures, runSha256 }: DecisionRecord): Section {
  return {
    id: 'decision',
    title: 'What changes for whom, and who signs',
    body: html`${sets.map(setPart)}
<h3>To look at before the model is used</h3>
${attention.length === 0 ? paragraph('The run recorded nothing beyond the limits below.') : bulletList(attention)}
<h3>Signatures</h3>
${paragraph(html`Nobody has signed by this report. A signature belongs beside the run folder and names the SHA-256 of <code>run.json</code>; without its outputs and environment that is <code class="hash">${runSha256}</code>.`)}
${signatureTable(signatures)}`,
  };
}

function setPart({ name, flips, levelDown }: DecidedSet): Html {
  const heading = html`<h3>Changed predictions on ${nameHtml(name)}</h3>`;
  if (flips === null) return html`${heading}${paragraph('No changed model was audited.')}`;
  return html`${heading}
${levelDown.map(levelDownNotice)}
${flips.features.map(({ sensitiveFeature, groups }) => flipTable(sensitiveFeature, groups, flips))}
${lossTables(levelDown)}`;
}

function levelDownNotice({ sensitiveFeature, status, before, after }: LevelDown): Html {
  const feature = nameHtml(sensitiveFeature);
  const gap = html`disparity by ${feature} went from ${rate(before)} to ${rate(after)}`;
  switch (status) {
    case 'levelled-down':
      return notice('Warning', html`levelling down: the ${gap} while a group got worse.`);
    case 'undetermined':
      return notice(
        'Warning',
        html`by ${feature}, whether a group lost cannot be told: a figure that would show it is not defined.`,
      );
    case 'not-levelled-down':
      return paragraph(html`The ${gap}; no group lost more than the rails allow or chance explains.`);
    case 'no-smaller-disparity':
      return paragraph(html`The ${gap}: it did not fall, so there is nothing to level down for.`);
  }
}

function flipTable(feature: string, groups: readonly GroupFlips[], { overall }: SetFlips): Html {
  const columns = [
    { title: 'Group' },
    ...['Positives', 'to positive', 'to negative', 'Negatives', 'to positive', 'to negative'].map(
      (title) => ({
        title,
        isNumeric: true,
      }),
    ),
    { title: 'Correct gained', isNumeric: true },
    { title: 'Correct lost', isNumeric: true },
    { title: 'Net', isNumeric: true },
  ];
  const rows = [
    ...groups.map((group) => flipRow(nameHtml(group.group), group)),
    flipRow(html`All samples`, overall),
  ];
  return table({ caption: `Predictions that changed, by ${feature}`, columns, rows });
}

function flipRow(heading: Html, { positives, negatives, gained, lost }: GroupFlips): Html {
  const labels = [positives, negatives].flatMap(({ support, toPositive, toNegative }) => [
    support,
    toPositive,
    toNegative,
  ]);
  return row(heading, [
    ...[...labels, gained, lost].map((value) => numberCell(count(value))),
    numberCell(signedCount(gained - lost)),
  ]);
}

function signedCount(value: number): string {
  return value > 0 ? `+${count(value)}` : count(value);
}

const FIGURE_WORDS = {
  truePositiveRate: 'true positive rate',
  falsePositiveRate: 'false positive rate',
  auc: 'AUC',
} as const satisfies Record<GroupLoss['figure'], string>;

function lossTables(levelDown: readonly LevelDown[]): Html {
  const rows = levelDown.flatMap(({ sensitiveFeature, losses }) =>
    losses.map((loss) =>
      row(html`${nameHtml(loss.group)}<small>${sensitiveFeature}</small>`, [
        textCell(FIGURE_WORDS[loss.figure]),
        numberCell(rate(loss.before)),
        numberCell(rate(loss.after)),
        numberCell(
          signed(loss.after - loss.before),
          loss.interval === null ? '' : ENGLISH.range(loss.interval),
        ),
        textCell(lossWords(loss)),
      ]),
    ),
  );
  if (rows.length === 0) return NOTHING;
  const columns = [
    { title: 'Group' },
    { title: 'Figure' },
    { title: 'Before', isNumeric: true },
    { title: 'After', isNumeric: true },
    { title: 'Change', isNumeric: true },
    { title: 'Weight' },
  ];
  return table({ caption: 'Figures of groups that got worse', columns, rows });
}

function lossWords({ isBeyondRail, isCertain }: GroupLoss): string {
  const size = isBeyondRail ? 'beyond its rail' : 'within its rail';
  return `${size}, ${isCertain ? 'more than chance explains' : 'may be chance'}`;
}

function signatureTable(signatures: readonly SignatureRequest[]): Html {
  const columns = [{ title: 'Role' }, { title: 'Confirms' }, { title: 'Files' }, { title: 'Signature' }];
  const rows = signatures.map(({ role, confirms, items }) =>
    row(role, [
      html`<td class="text long">${bulletList(confirms)}</td>`,
      textCell(items.length === 0 ? 'none' : disclosure(plural(items.length, 'file'), hashList(items))),
      textCell('unsigned'),
    ]),
  );
  return table({ caption: 'Who is asked to sign what', columns, rows });
}

function hashList(items: SignatureRequest['items']): Html {
  return bulletList(
    items.map(({ name, sha256 }) => html`${nameHtml(name)} <code class="hash">${sha256}</code>`),
  );
}
