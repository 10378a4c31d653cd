import { describe, expect, it } from 'vitest';
import { frontierOf } from '../../../../core/jobs/frontier.ts';
import { ENGLISH } from '../../../../core/report/language/language.ts';
import { frontierSection } from '../../../../core/report/sections/frontier.ts';
import { render } from '../../../../core/report/text/html.ts';
import { CANDIDATES, IMPROVED_RUN, NOT_IMPROVED_RUN, textOf } from '../../../helpers/report-samples.ts';

describe('frontierSection', () => {
  const text = textOf(frontierSection(IMPROVED_RUN).body);

  it('lists every candidate with settings, figures, threshold and guard rails', () => {
    expect(text).toContain(
      '2 bmft-p50-l1 chosen BMFT percentile 50, lambda 1, learningRate 0.0001 0.180 0.771 0.701 0.437 met',
    );
    expect(text).toContain('broken: AUC fell by 0.073, at most 0.020 is allowed; TPR of male fell by 0.31');
    expect(text).toContain('1 original original model 0.630 0.724 0.701 0.437 none, it is the reference');
  });

  it('counts and lists a candidate without a figure, and does not plot it', () => {
    expect(text).toContain('1 not plotted, since a figure is not defined for it.');
    expect(text).toContain('9 bmft-p95-l10 BMFT percentile 95, lambda 10 not defined 0.700');
    expect(render(frontierSection(IMPROVED_RUN).body)).not.toContain('<title>9,');
  });

  it('tells the rule of the choice only where one was chosen', () => {
    expect(text).toContain('one standard error');
    expect(textOf(frontierSection(NOT_IMPROVED_RUN).body)).not.toContain('one standard error');
  });

  it('has no picture when no candidate has both figures', () => {
    const nothing = CANDIDATES.map((each) => ({ ...each, select: { ...each.select, auc: null } }));
    const { body } = frontierSection({ ...IMPROVED_RUN, candidates: nothing });
    expect(render(body)).not.toContain('<svg');
    expect(textOf(body)).toContain('9 not plotted, since a figure is not defined for them.');
  });

  it('says when no part of the data was kept to choose', () => {
    const data = { ...IMPROVED_RUN.data, parts: [] };
    const outcome = { ...IMPROVED_RUN.outcome, metric: 'demographicParityRatio' } as const;
    const fixed = textOf(frontierSection({ ...IMPROVED_RUN, data, outcome, candidates: [] }).body);
    expect(fixed).toContain('0 candidates, with settings fixed beforehand');
    expect(fixed).toContain('demographic parity ratio by sex (higher is a smaller gap)');
  });

  it('gives the figures of each group of each candidate', () => {
    expect(text).toContain('2 female 0.610 0.120 0.771 2 male 0.740 not defined 0.830');
  });

  describe('of a search', () => {
    const original = CANDIDATES.find(({ kind }) => kind === 'original')!;
    const intervals = { disparity: { low: 0.01, high: 0.4 }, auc: { low: 0.6, high: 0.9 } };
    const candidates = CANDIDATES.map((each, place) => ({
      ...each,
      select: { ...each.select, intervals },
      ...(place === 2 && { isDrawn: true }),
    }));
    const search = {
      budget: '2.5x',
      gridSettings: 4,
      brackets: [[{ epoch: 1, settings: 3 }]],
      epochs: 23,
      diverged: 0,
    };
    const { body } = frontierSection({ ...IMPROVED_RUN, candidates, search });

    it('says what was tried, how the choice was made and that its figures are optimistic', () => {
      const said = textOf(body);
      expect(said).toContain('3 more were drawn and raced in 1 bracket');
      expect(said).toContain('figures on the select part are optimistic');
      expect(said).toContain('BMFT, drawn');
    });

    it('folds drawn candidates that are not on the frontier, under the numbers that they have', () => {
      const many = CANDIDATES.map((each) => ({ ...each, isDrawn: each.kind === 'bmft' && !each.isChosen }));
      const said = textOf(frontierSection({ ...IMPROVED_RUN, candidates: many, search }).body);
      const folded = many.filter(
        (each, place) =>
          each.isDrawn && !frontierOf(CANDIDATES, original.select).includes(CANDIDATES[place]!),
      );
      const [shown, rest] = said.split(`${folded.length} drawn candidates that others beat`) as [
        string,
        string,
      ];
      for (const { id } of folded) {
        expect(shown).not.toContain(id);
        expect(rest).toContain(id);
      }
      const number = many.indexOf(folded[0]!) + 1;
      expect(rest).toContain(`${number} ${folded[0]!.id} BMFT, drawn`);
    });

    it('gives both intervals of each candidate', () => {
      expect(textOf(body)).toContain(
        `0.180 ${ENGLISH.range(intervals.disparity)} 0.771 ${ENGLISH.range(intervals.auc)}`,
      );
    });

    it('draws them for the original, the choice and those that no other beats, and no others', () => {
      const crossed = new Set([
        original,
        ...CANDIDATES.filter(({ isChosen }) => isChosen),
        ...frontierOf(CANDIDATES, original.select),
      ]);
      expect(crossed.size).toBeLessThan(CANDIDATES.length - 1); // one has no disparity
      expect(render(body).match(/class="interval"/g)).toHaveLength(crossed.size);
      const { body: without } = frontierSection(IMPROVED_RUN);
      expect(render(without)).not.toContain('class="interval"');
      expect(textOf(without)).not.toContain('optimistic');
    });
  });
});
