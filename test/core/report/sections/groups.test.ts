import { describe, expect, it } from 'vitest';
import { groupsSection } from '../../../../core/report/sections/groups.ts';
import { render } from '../../../../core/report/text/html.ts';
import { auditOf, featureOf, groupOf } from '../../../helpers/report-audits.ts';
import { FIVE_GROUPS, TWO_GROUPS_AFTER, TWO_GROUPS_BEFORE, textOf } from '../../../helpers/report-samples.ts';

describe('groupsSection', () => {
  it('has tables and two pictures for each sensitive feature', () => {
    const markup = render(groupsSection({ before: FIVE_GROUPS, after: null }).body);
    expect(markup.match(/<h3>/g)).toHaveLength(2);
    expect(markup.match(/role="img"/g)).toHaveLength(2 * 2);
    expect(markup.match(/<caption>/g)).toHaveLength(2 * 3);
    expect(new Set(markup.match(/ id="[^"]*"/g)).size).toBe(markup.match(/ id="[^"]*"/g)!.length);
  });

  it('marks the target on its own feature only', () => {
    const target = { sensitiveFeature: 'skin tone', metric: 'equalizedOddsDifference' } as const;
    const text = textOf(groupsSection({ before: FIVE_GROUPS, after: null, target }).body);
    expect(text.match(/target of this run/g)).toHaveLength(1);
    expect(text.indexOf('target of this run')).toBeGreaterThan(text.indexOf('By skin tone'));
  });

  it('plots before and after together', () => {
    const section = groupsSection({ before: TWO_GROUPS_BEFORE, after: TWO_GROUPS_AFTER });
    expect(section.title).toBe('Before and after by group');
    expect(textOf(section.body)).toContain('female , 80 positives 0.250 → 0.675');
  });

  it('plots nothing after for a group that the audit after lacks', () => {
    const [male] = TWO_GROUPS_AFTER.features[0]!.groups.toReversed();
    const after = auditOf([featureOf('sex', [male!, groupOf('other', [1, 1, 1, 1], 0.5)])]);
    expect(textOf(groupsSection({ before: TWO_GROUPS_BEFORE, after }).body)).toContain('0.250 → not defined');
  });

  it('warns that one group alone has nothing to compare', () => {
    const before = auditOf([featureOf('sex', [groupOf('female', [1, 1, 1, 1], 0.5)])]);
    expect(textOf(groupsSection({ before, after: null }).body)).toContain('only one group');
    expect(textOf(groupsSection({ before: FIVE_GROUPS, after: null }).body)).not.toContain('only one group');
  });
});
