import { describe, expect, it } from 'vitest';
import type { MitigationInput } from '../../../core/report/facts/headline.ts';
import { renderMitigationReport } from '../../../core/report/mitigation-report.ts';
import {
  FIVE_GROUPS,
  IMPROVED_RUN,
  NOT_IMPROVED_RUN,
  REJECTED_AUDIT,
  REJECTED_RUN,
  TWO_GROUPS_AFTER,
  TWO_GROUPS_BEFORE,
  textOf,
} from '../../helpers/report-samples.ts';

const IMPROVED = { run: IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: TWO_GROUPS_AFTER };
const NOT_IMPROVED = { run: NOT_IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: null };
const REJECTED = { run: REJECTED_RUN, before: REJECTED_AUDIT, after: null };

function sectionIds(input: MitigationInput): string[] {
  return [...renderMitigationReport(input).matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id!);
}

describe('renderMitigationReport', () => {
  it('has every section for a run that trained', () => {
    const all = ['groups', 'mask', 'curves', 'frontier', 'data', 'limits', 'reproduce'];
    expect(sectionIds(IMPROVED)).toEqual(all);
    expect(sectionIds(NOT_IMPROVED)).toEqual(all);
  });

  it('has no mask, curves and candidates for a rejected run', () => {
    expect(sectionIds(REJECTED)).toEqual(['groups', 'data', 'limits', 'reproduce']);
  });

  it.each([
    ['improved', IMPROVED],
    ['not improved', NOT_IMPROVED],
    ['rejected', REJECTED],
    ['a group without positives', { ...IMPROVED, before: FIVE_GROUPS, after: FIVE_GROUPS }],
  ])('%s: never promises that a model is fair', (_, input) => {
    expect(textOf(renderMitigationReport(input))).not.toMatch(/\b(un)?(fair|biased|debiased)\b|\bdebias/i);
  });

  it('gives the same bytes for the same input, and holds no date', () => {
    const first = renderMitigationReport(IMPROVED);
    expect(renderMitigationReport(structuredClone(IMPROVED))).toBe(first);
    expect(first).not.toMatch(/\b20\d\d-\d\d-\d\d\b/);
  });

  it('holds no script and fetches nothing', () => {
    expect(renderMitigationReport(IMPROVED)).not.toMatch(/<script|<img|<iframe|\son\w+=|https?:/i);
  });
});
