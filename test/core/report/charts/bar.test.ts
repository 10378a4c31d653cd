import { describe, expect, it } from 'vitest';
import { barScale, shareBar } from '../../../../core/report/charts/bar.ts';
import { render } from '../../../../core/report/text/html.ts';

describe('shareBar', () => {
  it('is as long as the share of 120 pixels', () => {
    expect(barScale(0.25)).toBe(120 * 0.25);
    expect(render(shareBar(0.5))).toContain('class="bar-part" width="60"');
  });

  it('is hidden from screen readers, since its number stands beside it', () => {
    expect(render(shareBar(0))).toContain('aria-hidden="true"');
  });
});
