import { describe, expect, it } from 'vitest';
import { DISPARITY_NAMES } from '../../../../core/fairness/types.ts';
import { disparityTable } from '../../../../core/report/tables/disparity-table.ts';
import { render } from '../../../../core/report/text/html.ts';
import { FIVE_GROUPS, TWO_GROUPS_AFTER, TWO_GROUPS_BEFORE, textOf } from '../../../helpers/report-samples.ts';

const [before, after] = [TWO_GROUPS_BEFORE.features[0]!, TWO_GROUPS_AFTER.features[0]!];

describe('disparityTable', () => {
  it('has a row for each disparity', () => {
    const markup = render(disparityTable({ before, after: undefined, target: undefined }));
    expect(markup.match(/<th scope="row">/g)).toHaveLength(DISPARITY_NAMES.length);
    expect(textOf(markup)).toContain('signed form of the BMFT paper');
  });

  it('gives interval, adjusted p-value and smallest gap of an audit alone, of a value that is shown only', () => {
    const evidence = {
      interval: { low: 0.11, high: 0.42, method: 'newcombe' },
      test: { name: 'fisher-exact', pValue: 0.011, adjustedPValue: 0.033 },
      smallestDetectable: 0.19,
    } as const;
    const tableOf = (unsupportedGroups: readonly string[]) => {
      const gap = { ...before.disparities.equalOpportunityDifference, ...evidence, unsupportedGroups };
      const disparities = { ...before.disparities, equalOpportunityDifference: gap };
      return textOf(
        disparityTable({ before: { ...before, disparities }, after: undefined, target: undefined }),
      );
    };
    expect(tableOf([])).toContain('highest male 0.110 to 0.420 0.033 Fisher exact 0.190');
    expect(tableOf(['X'])).not.toMatch(/0\.110|0\.033|0\.190/);
  });

  it('gives the change with its direction in words', () => {
    const text = textOf(disparityTable({ before, after, target: undefined }));
    expect(text).toMatch(/Equalised odds difference .{80,100} 0.650 0.085 −0.565 narrower/);
    expect(text).toMatch(/Demographic parity ratio .{50,80}0.338 .* 0.707 .* \+0.369 narrower/);
    expect(textOf(disparityTable({ before: after, after: before, target: undefined }))).toContain(
      '+0.565 wider',
    );
    expect(textOf(disparityTable({ before, after: before, target: undefined }))).toContain(
      '0.000 same to three decimals',
    );
  });

  it('marks the target of the run, and only that', () => {
    const markup = render(disparityTable({ before, after, target: 'equalizedOddsDifference' }));
    expect(markup.match(/target of this run/g)).toHaveLength(1);
    expect(textOf(markup)).toContain('Equalised odds difference target of this run');
  });

  it('has no change where a figure is not defined', () => {
    const [feature] = FIVE_GROUPS.features;
    const text = textOf(disparityTable({ before: feature!, after: feature, target: undefined }));
    expect(text).toMatch(
      /Equal opportunity difference .* left out: 0–19 not defined Equal opportunity ratio/,
    );
  });
});
