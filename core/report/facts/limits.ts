import type { AuditReport, FeatureAudit } from '../../fairness/types.ts';
import type { RunRecord } from '../../jobs/run-record.ts';
import { ENGLISH, type Language } from '../language/language.ts';
import { significant, thresholdText } from '../text/format.ts';
import { type Html, html } from '../text/html.ts';
import { joinHtml, nameHtml, nameList } from '../text/names.ts';
import type { MitigationInput } from './headline.ts';
import { targetNames } from './targets.ts';
import { unsupportedIn } from './unsupported.ts';

/** Below this support one sample moves a rate by more than 0.033; such cells are named. */
export const SMALL_CELL = 30;

/** What limits the figures of one audit: sentences made from its facts. */
export function auditLimits(audit: AuditReport, language: Language = ENGLISH): Html[] {
  const { limits } = language.t;
  return [
    ...emptyCells(audit, language),
    ...smallCells(audit, language),
    ...audit.features.flatMap((feature) => unsupportedGroups(feature, language)),
    html`${hasIntervals(audit) ? limits.intervals(language.percent(audit.level)) : limits.noIntervals}`,
    html`${limits.notCause}`,
    ...(audit.threshold === null && audit.classes === undefined ? [html`${limits.noThreshold}`] : []),
  ];
}

/** Files of the first version, and means over classes, have none. */
function hasIntervals({ overall, features }: AuditReport): boolean {
  const groups = [overall, ...features.flatMap((feature) => feature.groups)];
  return groups.some(({ rates }) => rates.accuracy.interval !== null);
}

/** What limits the figures of a run, most serious first. */
export function runLimits({ run, before, after }: MitigationInput): Html[] {
  return [
    ...notIndependent(run),
    ...notChecked(run),
    ...auditLimits(before),
    ...smallParts(run),
    ...thresholdShift(run, before, after),
    ...otherFeatures(run, before),
    ...(run.model.notes ?? []).map((note) => html`${note}`),
    html`All parts come from one external set. Figures on data from another site, device or time may differ.`,
  ];
}

/** A reader would take silence for a check that found nothing. */
function notChecked({ check }: RunRecord): Html[] {
  return check === undefined
    ? [
        html`The data was not checked before: duplicates, shifts and mislabelled rows would not have been seen.`,
      ]
    : [];
}

/** Warnings that the audits carry themselves, each once. */
export function auditWarnings(before: AuditReport, after: AuditReport | null): string[] {
  return [...new Set([...before.warnings, ...(after?.warnings ?? [])])];
}

interface SizedCell {
  readonly name: Html;
  readonly support: number;
}

function cellsOf(audit: AuditReport, language: Language): SizedCell[] {
  const { limits } = language.t;
  return audit.features.flatMap(({ sensitiveFeature, groups }) =>
    groups.flatMap(({ group, positives, negatives }) => {
      const name = limits.inFeature(nameHtml(group, language), nameHtml(sensitiveFeature, language));
      return [
        { name: limits.positivesOf(name), support: positives },
        { name: limits.negativesOf(name), support: negatives },
      ];
    }),
  );
}

function emptyCells(audit: AuditReport, language: Language): Html[] {
  const empty = cellsOf(audit, language).filter(({ support }) => support === 0);
  if (empty.length === 0) return [];
  const names = joinHtml(
    empty.map(({ name }) => name),
    language,
  );
  return [language.t.limits.empty(names)];
}

function isSmall({ support }: { readonly support: number }): boolean {
  return support > 0 && support < SMALL_CELL;
}

function smallCells(audit: AuditReport, language: Language): Html[] {
  const { t, rate, count } = language;
  const small = cellsOf(audit, language).filter(isSmall);
  if (small.length === 0) return [];
  const smallest = Math.min(...small.map(({ support }) => support));
  const names = small.map(({ name, support }) => t.limits.sized(name, count(support)));
  return [t.limits.small(SMALL_CELL, joinHtml(names, language), rate(1 / smallest))];
}

function unsupportedGroups({ sensitiveFeature, disparities }: FeatureAudit, language: Language): Html[] {
  const groups = unsupportedIn(disparities);
  if (groups.length === 0) return [];
  const { leftOut } = language.t.limits;
  return [leftOut(nameHtml(sensitiveFeature, language), nameList(groups, language))];
}

function notIndependent({ data }: RunRecord): Html[] {
  if (data.isIndependent) return [];
  return [
    html`The audited part (${data.auditedOn}) also steered training or selection. Its figures are optimistic and no estimate of what to expect on new data.`,
  ];
}

function smallParts({ data }: RunRecord): Html[] {
  return data.parts
    .filter(({ name }) => name !== data.auditedOn)
    .flatMap(({ name, cells }) => {
      const small = cells.filter(isSmall);
      if (small.length === 0) return [];
      const names = small.map(
        ({ group, label, support }) =>
          html`${label === 1 ? 'positives' : 'negatives'} of ${nameHtml(group)} (${support})`,
      );
      return [
        html`The ${name} part has fewer than ${SMALL_CELL} samples in: ${joinHtml(names)}. What was learnt or chosen there may not carry over.`,
      ];
    });
}

function thresholdShift({ threshold }: RunRecord, before: AuditReport, after: AuditReport | null): Html[] {
  const sentences: Html[] = [];
  if (after !== null && after.threshold !== before.threshold) {
    sentences.push(
      html`Before and after use different thresholds (${thresholdText(before.threshold)} and ${thresholdText(after.threshold)}); part of the change in the rates comes from this. AUC does not depend on it.`,
    );
  }
  if (threshold.biasShift !== 0) {
    sentences.push(
      html`${significant(threshold.biasShift)} was added to the bias of the model's head, so that the threshold of the saved model stays at ${thresholdText(threshold.value)}.`,
    );
  }
  return sentences;
}

function otherFeatures({ outcome }: RunRecord, { features }: AuditReport): Html[] {
  const targets = targetNames(outcome);
  const others = features.map((each) => each.sensitiveFeature).filter((name) => !targets.includes(name));
  if (others.length === 0) return [];
  return [
    html`Only ${nameList(targets)} steered the run. Gaps by ${nameList(others)} were measured, not reduced on purpose.`,
  ];
}
