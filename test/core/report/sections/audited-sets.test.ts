import { describe, expect, it } from 'vitest';
import { auditedSetsSection } from '../../../../core/report/sections/audited-sets.ts';
import { render } from '../../../../core/report/text/html.ts';
import { TWO_SETS_RUN } from '../../../helpers/decision-samples.ts';

describe('auditedSetsSection', () => {
  const page = render(auditedSetsSection(TWO_SETS_RUN).body);

  it('has each set before and after with its worst group', () => {
    // TPR 20/80 and 54/80 of the women, the lower of two each time
    expect(page).toMatch(
      /before.*877.*0\.650.*0\.250<small><bdi>female.*\n.*after.*877.*0\.085.*0\.675<small><bdi>female/,
    );
  });

  it('says what is not defined and who is absent, and escapes names', () => {
    const [, own] = page.split('clinic &lt;b&gt;');
    expect(own).toContain('not defined');
    expect(own).toContain('0.610 to 0.790');
    expect(own).toContain('<bdi>a</bdi> and <bdi>b</bdi>');
    expect(own).not.toContain('after');
  });
});
