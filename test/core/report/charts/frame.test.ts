import { describe, expect, it } from 'vitest';
import { chartFrame, marker, xAxis, yAxis } from '../../../../core/report/charts/frame.ts';
import { linearScale } from '../../../../core/report/charts/scale.ts';
import { render } from '../../../../core/report/text/html.ts';

const ticks = { values: [0, 0.5, 1], decimals: 1 };

describe('chartFrame', () => {
  it('is an image with a title and a description', () => {
    const markup = render(
      chartFrame({ id: 'c', title: 'T <1>', description: ['a', 'b'], width: 10, height: 20, body: '' }),
    );
    expect(markup).toContain('role="img" aria-labelledby="c-title c-desc"');
    expect(markup).toContain('<title id="c-title">T &lt;1&gt;</title><desc id="c-desc">ab</desc>');
    expect(markup).toContain('viewBox="0 0 10 20"');
  });
});

describe('axes', () => {
  it('puts a grid line and a label at every tick', () => {
    const markup = render(xAxis({ scale: linearScale([0, 1], [10, 110]), ticks, top: 5, bottom: 50 }));
    expect(markup).toContain('x1="60" x2="60" y1="5" y2="50"');
    expect(markup).toContain('x="60" y="64" text-anchor="middle">0.5</text>');
  });

  it('labels the y axis left of the plot', () => {
    const markup = render(yAxis({ scale: linearScale([0, 1], [100, 0]), ticks, left: 40, right: 90 }));
    expect(markup).toContain('x1="40" x2="90" y1="50" y2="50"');
    expect(markup).toContain('x="34" y="54" text-anchor="end">0.5</text>');
  });
});

describe('marker', () => {
  it('differs in shape, not in colour alone', () => {
    const shapes = (['circle', 'square', 'diamond'] as const).map((shape) =>
      render(marker({ shape, x: 20, y: 30, className: 'm' })),
    );
    expect(shapes[0]).toContain('<circle class="m" cx="20" cy="30" r="5">');
    expect(shapes[1]).toContain('x="15" y="25" width="10" height="10"');
    expect(shapes[2]).toContain('d="M20,23.5l6.5,6.5l-6.5,6.5l-6.5,-6.5z"');
  });

  it('carries its figures as a tooltip', () => {
    expect(render(marker({ shape: 'circle', x: 0, y: 0, className: 'm', tooltip: 'a < b' }))).toContain(
      '<title>a &lt; b</title>',
    );
  });
});
