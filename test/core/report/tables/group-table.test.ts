import { describe, expect, it } from 'vitest';
import { columnGuide, groupTable } from '../../../../core/report/tables/group-table.ts';
import { render } from '../../../../core/report/text/html.ts';
import { featureOf, groupOf } from '../../../helpers/report-audits.ts';
import { FIVE_GROUPS, TWO_GROUPS_AFTER, TWO_GROUPS_BEFORE, textOf } from '../../../helpers/report-samples.ts';

const [before, after] = [TWO_GROUPS_BEFORE.features[0]!, TWO_GROUPS_AFTER.features[0]!];
const overall = { overallBefore: TWO_GROUPS_BEFORE.overall, overallAfter: TWO_GROUPS_AFTER.overall };

describe('groupTable', () => {
  it('has a row before and a row after for each group and for all samples', () => {
    const markup = render(groupTable({ before, after, ...overall }));
    expect(markup.match(/<th scope="rowgroup" rowspan="2">/g)).toHaveLength(3);
    expect(textOf(markup)).toContain(
      'female reference before 477 80 397 0.122 58 of 477 0.250 20 of 80 0.096 38 of 397',
    );
    expect(textOf(markup)).toContain('after 477 80 397 0.214 102 of 477 0.675 54 of 80');
  });

  it('has one row a group for an audit alone', () => {
    const markup = render(groupTable({ before, after: undefined, ...overall, overallAfter: undefined }));
    expect(markup).not.toContain('rowgroup');
    expect(textOf(markup)).not.toMatch(/\b(before|after)\b/);
  });

  it('never prints 0 for a rate that does not exist', () => {
    const feature = FIVE_GROUPS.features[0]!;
    const text = textOf(
      groupTable({
        before: feature,
        after: undefined,
        overallBefore: FIVE_GROUPS.overall,
        overallAfter: undefined,
      }),
    );
    expect(text).toContain('0–19 reference 124 0 124 0.048 6 of 124 not defined no positives');
  });

  it('says when a group is missing from the audit after', () => {
    const fewer = featureOf('sex', [groupOf('male', [1, 1, 1, 1], 0.5)]);
    expect(textOf(groupTable({ before, after: fewer, ...overall }))).toContain(
      'after not in the audit after',
    );
  });
});

describe('columnGuide', () => {
  it('explains "not defined"', () => {
    expect(textOf(columnGuide())).toContain('neither 0 nor evidence of a small gap');
  });
});
