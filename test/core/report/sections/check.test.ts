import { describe, expect, it } from 'vitest';
import { headlineOf } from '../../../../core/report/facts/headline.ts';
import { checkSections } from '../../../../core/report/sections/check.ts';
import { verdictNotices } from '../../../../core/report/sections/verdict-notices.ts';
import { render } from '../../../../core/report/text/html.ts';
import { IMPROVED_RUN, TWO_GROUPS_AFTER, TWO_GROUPS_BEFORE } from '../../../helpers/report-samples.ts';

const FINDINGS = [
  {
    code: 'subject-overlap',
    severity: 'unfit',
    reason: 'Subjects of <b>two</b> parts.',
    repair: 'Split by subject.',
  },
  { code: 'small-cell', severity: 'care', reason: 'Few rows.', repair: 'Collect more.' },
] as const;
const runWith = (check: typeof IMPROVED_RUN.check) => ({ ...IMPROVED_RUN, ...(check && { check }) });

describe('checkSections', () => {
  it('are none where nothing looked', () => {
    expect(checkSections(IMPROVED_RUN)).toEqual([]);
  });

  it('say that nothing was found', () => {
    const [section] = checkSections(runWith({ verdict: 'fit', isOverruled: false, findings: [] }));
    expect(render(section!.body)).toContain('The check found nothing');
  });

  it.each([[[]], [FINDINGS]])('name what could not be checked, with %j', (findings) => {
    const check = {
      verdict: 'fit',
      isOverruled: false,
      findings,
      notChecked: ['Subjects: <none>.'],
    } as const;
    const text = render(checkSections(runWith(check))[0]!.body);
    expect(text).toContain('What could not be checked:');
    expect(text).toContain('<li>Subjects: &lt;none&gt;.</li>');
    expect(text).not.toContain('The check found nothing.');
  });

  it('list each finding with its severity and repair, names escaped', () => {
    const [section] = checkSections(runWith({ verdict: 'unfit', isOverruled: false, findings: FINDINGS }));
    const text = render(section!.body);
    expect(text).toContain('calls the data unfit: 2 findings');
    expect(text).toContain('Subjects of &lt;b&gt;two&lt;/b&gt; parts.');
    expect(text.indexOf('Unfit')).toBeLessThan(text.indexOf('Care'));
    expect(text).toContain('Collect more.');
  });
});

describe('the notice of an overruled check', () => {
  const noticesOf = (isOverruled: boolean) => {
    const run = runWith({ verdict: 'unfit', isOverruled, findings: FINDINGS });
    const input = { run, before: TWO_GROUPS_BEFORE, after: TWO_GROUPS_AFTER };
    return render(verdictNotices(input, headlineOf(input)));
  };

  it('stands at the top, with what makes the data unfit and no more', () => {
    const text = noticesOf(true);
    expect(text).toContain('the check calls this data unfit, and the run was told to go on');
    expect(text).toContain('two');
    expect(text).not.toContain('Few rows.');
  });

  it('is absent where the check was heeded', () => {
    expect(noticesOf(false)).not.toContain('told to go on');
  });
});
