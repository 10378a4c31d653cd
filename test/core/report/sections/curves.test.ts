import { describe, expect, it } from 'vitest';
import { curvesSection } from '../../../../core/report/sections/curves.ts';
import { render } from '../../../../core/report/text/html.ts';
import { IMPROVED_RUN, NOT_IMPROVED_RUN, REJECTED_RUN, textOf } from '../../../helpers/report-samples.ts';

describe('curvesSection', () => {
  it('draws both stages and lists their figures', () => {
    const { body } = curvesSection(IMPROVED_RUN);
    expect(render(body).match(/role="img"/g)).toHaveLength(2);
    expect(textOf(body)).toContain('Stage 1, body: figures of 10 epochs');
    expect(textOf(body)).toContain('1 0.7220 0.4120 0.3100'); // 0.412 + 0.31
  });

  it('thins a long table but keeps its last step', () => {
    const text = textOf(curvesSection(IMPROVED_RUN).body);
    expect(text).toContain('losses by solver step, 31 of 180');
    expect(text).toMatch(/175 [\d. ]+ 180 /);
  });

  it('counts epochs in both stages when nothing was selected', () => {
    const data = { ...IMPROVED_RUN.data, parts: [] };
    expect(textOf(curvesSection({ ...IMPROVED_RUN, data }).body)).not.toContain('solver step');
  });

  it('speaks of the chosen candidate only where there is one', () => {
    expect(textOf(curvesSection(IMPROVED_RUN).body)).toContain('of the chosen candidate');
    expect(textOf(curvesSection(NOT_IMPROVED_RUN).body)).not.toContain('of the chosen candidate');
  });

  it('draws nothing where no step is recorded, and says so', () => {
    const { body } = curvesSection(REJECTED_RUN);
    expect(render(body)).not.toContain('<svg');
    expect(textOf(body).match(/No step is recorded/g)).toHaveLength(2);
  });
});
