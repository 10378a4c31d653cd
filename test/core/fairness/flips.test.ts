import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flipsOf } from '../../../core/fairness/flips.ts';

const FEATURE = { name: 'sex', groupNames: ['f', 'm', 'x'] };

describe('flipsOf', () => {
  it('counts by group, truth and direction', () => {
    // f: one positive gained, one positive lost, one negative turned positive; m: one negative put right
    const flips = flipsOf({
      labels: [1, 1, 0, 1, 0, 0],
      before: [0, 1, 0, 1, 1, 0],
      after: [1, 0, 1, 1, 0, 0],
      sensitiveFeatures: [{ ...FEATURE, groups: Int32Array.of(0, 0, 0, 1, 1, 1) }],
    });
    expect(flips.features[0]!.groups).toEqual([
      {
        group: 'f',
        positives: { support: 2, toPositive: 1, toNegative: 1 },
        negatives: { support: 1, toPositive: 1, toNegative: 0 },
        gained: 1,
        lost: 2,
      },
      {
        group: 'm',
        positives: { support: 1, toPositive: 0, toNegative: 0 },
        negatives: { support: 2, toPositive: 0, toNegative: 1 },
        gained: 1,
        lost: 0,
      },
      {
        group: 'x',
        positives: { support: 0, toPositive: 0, toNegative: 0 },
        negatives: { support: 0, toPositive: 0, toNegative: 0 },
        gained: 0,
        lost: 0,
      },
    ]);
    expect(flips.overall).toMatchObject({ group: '(all)', gained: 2, lost: 2 });
  });

  it('changes the correct decisions by what was gained less what was lost, whatever the predictions', () => {
    const bit = fc.constantFrom(0, 1);
    const row = fc.record({ label: bit, before: bit, after: bit, group: fc.constantFrom(0, 1, 2) });
    fc.assert(
      fc.property(fc.array(row), (rows) => {
        const { overall, features } = flipsOf({
          labels: rows.map(({ label }) => label),
          before: rows.map(({ before }) => before),
          after: rows.map(({ after }) => after),
          sensitiveFeatures: [{ ...FEATURE, groups: Int32Array.from(rows, ({ group }) => group) }],
        });
        const right = (when: 'before' | 'after') => rows.filter((each) => each[when] === each.label).length;
        expect(overall.gained - overall.lost).toBe(right('after') - right('before'));
        const sum = (pick: 'gained' | 'lost') =>
          features[0]!.groups.reduce((total, group) => total + group[pick], 0);
        expect([sum('gained'), sum('lost')]).toEqual([overall.gained, overall.lost]);
      }),
      { seed: 3 },
    );
  });
});
