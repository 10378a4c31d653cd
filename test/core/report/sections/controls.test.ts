import { describe, expect, it } from 'vitest';
import type { ControlsRecord, RunRecord } from '../../../../core/jobs/run-record.ts';
import { controlsSection } from '../../../../core/report/sections/controls.ts';
import { html, render } from '../../../../core/report/text/html.ts';

const figures = { disparity: 0.25, auc: 0.9, balancedAccuracy: 0.8 };
const difference = {
  disparity: { value: -0.15, interval: { low: -0.3, high: -0.02 } },
  auc: { value: 0, interval: { low: -0.01, high: 0.01 } },
};
const controls: ControlsRecord = {
  level: 0.95,
  replicates: 2000,
  results: [
    { control: 'random-mask', status: 'improved', reasons: [], figures, parametersTouched: 1200, difference },
    {
      control: 'head-only',
      status: 'failed',
      reasons: ['loss: expected a finite number'],
      figures: null,
      parametersTouched: 0,
      difference: null,
    },
  ],
};
const run = (status: string) => ({ preset: 'robust', outcome: { status } }) as unknown as RunRecord;
const textOf = (status: string) => render(html`${controlsSection(run(status), controls).body}`);

describe('the section on controls', () => {
  it('says in words whether the mask earned its keep, control by control', () => {
    const text = textOf('improved');
    expect(text).toContain('robust: disparity 0.150 lower than with a random mask of the same size');
    expect(text).toContain('so the mask earned its keep against it');
    expect(text).toContain('head-only: loss: expected a finite number');
  });

  it('shows what each control reached, and nothing where it has no figures', () => {
    const text = textOf('improved');
    expect(text).toContain('0.250');
    expect(text).toContain('1,200');
    expect(text.match(/not defined/g)).toHaveLength(3);
  });

  it('claims nothing about a mask that was not kept', () => {
    const text = textOf('not-improved');
    expect(text).toContain('kept the original model');
    expect(text).not.toContain('earned its keep against');
  });
});
