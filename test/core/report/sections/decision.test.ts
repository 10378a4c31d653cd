import { describe, expect, it } from 'vitest';
import type { DecisionRecord } from '../../../../core/jobs/decision-record.ts';
import { decisionSection } from '../../../../core/report/sections/decision.ts';
import { render } from '../../../../core/report/text/html.ts';
import { IMPROVED_RUN } from '../../../helpers/report-samples.ts';

const flips = (support: number, toPositive: number, toNegative: number) => ({
  support,
  toPositive,
  toNegative,
});
const GROUP = {
  group: '<b>f</b>',
  positives: flips(41, 7, 2),
  negatives: flips(103, 5, 11),
  gained: 7 + 11,
  lost: 2 + 5,
};

const decision = (changes: Partial<DecisionRecord> = {}): DecisionRecord => ({
  schemaVersion: 1,
  runSha256: 'f'.repeat(64),
  decided: {
    preset: 'robust',
    seed: 1,
    outcome: IMPROVED_RUN.outcome,
    threshold: { value: 0.5, biasShift: 0 },
    tool: 'counterweight 0',
    candidate: null,
    auditedOn: 'test',
    isIndependent: true,
  },
  sets: [
    {
      name: 'test',
      flips: {
        overall: { ...GROUP, group: '(all)' },
        features: [{ sensitiveFeature: 'sex', groups: [GROUP] }],
      },
      levelDown: [],
    },
  ],
  attention: ['Look here.'],
  signatures: [
    { role: 'data owner', confirms: ['All is well.'], items: IMPROVED_RUN.inputs, signature: null },
  ],
  ...changes,
});
const text = (changes: Partial<DecisionRecord> = {}) => render(decisionSection(decision(changes)).body);

describe('decisionSection', () => {
  it('shows the flips of a group with what it gained and lost, its name escaped', () => {
    const [, own] = text().split('&lt;b&gt;f&lt;/b&gt;');
    const cells = [...own!.split('</tr>')[0]!.matchAll(/<td class="number">([^<]+)/g)].map(
      ([, cell]) => cell,
    );
    expect(cells).toEqual(['41', '7', '2', '103', '5', '11', '18', '7', '+11']);
    expect(text()).not.toContain('<b>f');
  });

  it('says what to look at, that nobody signed, and under which hash', () => {
    expect(text()).toContain('<li>Look here.</li>');
    expect(text()).toContain('unsigned');
    expect(text()).toContain('f'.repeat(64));
    for (const { sha256 } of IMPROVED_RUN.inputs) expect(text()).toContain(sha256);
  });

  it.each([
    ['levelled-down', 'levelling down:'],
    ['undetermined', 'whether a group lost cannot be told'],
    ['not-levelled-down', 'no group lost more than the rails allow'],
    ['no-smaller-disparity', 'it did not fall'],
  ] as const)('has words for %s', (status, words) => {
    const loss = {
      group: 'm',
      figure: 'auc',
      before: 0.9,
      after: 0.8,
      interval: null,
      isBeyondRail: true,
      isCertain: false,
    } as const;
    const levelDown = [
      { sensitiveFeature: 'sex', status, before: 0.3, after: 0.1, losses: [loss], undefinedFigures: [] },
    ];
    const page = text({ sets: [{ ...decision().sets[0]!, levelDown }] });
    expect(page).toContain(words);
    expect(page).toContain('beyond its rail, may be chance');
  });

  it('shows no table where no changed model was audited', () => {
    const page = text({ sets: [{ name: 'test', flips: null, levelDown: [] }] });
    expect(page).toContain('No changed model was audited.');
    expect(page).not.toContain('Predictions that changed');
  });
});
