import { describe, expect, it } from 'vitest';
import { heatGrid } from '../../../../core/report/charts/heat-grid.ts';
import { render } from '../../../../core/report/text/html.ts';

const about = { id: 'map', title: 'Map', description: 'strongest at the top' };

describe('heatGrid', () => {
  it('draws a square by value: class by sign, opacity by size, place by row and column', () => {
    const svg = render(
      heatGrid({
        ...about,
        values: [
          [2, 0],
          [-1, 4],
        ],
        limit: 4,
      }),
    );
    expect(svg).toContain('<rect class="raises" x="0" y="0" width="90" height="90" fill-opacity="0.5"/>');
    expect(svg).toContain('<rect class="lowers" x="0" y="90" width="90" height="90" fill-opacity="0.25"/>');
    expect(svg).toContain('<rect class="raises" x="90" y="90" width="90" height="90" fill-opacity="1"/>');
    expect(svg.match(/<rect class="(?:raises|lowers)"/g)).toHaveLength(3); // 0 has no colour
    expect(svg).toContain('<desc id="map-desc">strongest at the top</desc>');
  });

  it('survives a map of zeros', () => {
    expect(render(heatGrid({ ...about, values: [[0, 0]], limit: 0 }))).not.toContain('NaN');
  });
});
