import { describe, expect, it } from 'vitest';
import { reproduceSection } from '../../../../core/report/sections/reproduce.ts';
import { IMPROVED_RUN, textOf } from '../../../helpers/report-samples.ts';

describe('reproduceSection', () => {
  const text = textOf(reproduceSection(IMPROVED_RUN).body);

  it('gives version, backend, seed, preset, model and threshold', () => {
    expect(text).toContain('Tool counterweight 0.1.0 Backend wasm 4.22.0, SIMD');
    expect(text).toContain('Preset robust Seed 17 Model skin-lesion-cnn , tfjs-layers, input 64 × 64 × 3');
    expect(text).toContain('Threshold 0.437, head bias shifted by 0');
  });

  it('gives every option and every file with its SHA-256', () => {
    expect(text).toContain('percentiles [50,75,95] lambdas [1,10] delta 0.02');
    expect(text).toContain('metric equalizedOddsDifference subject null');
    expect(text).toContain(`manifest.csv 181,204 ${'a3'.repeat(32)}`);
    expect(text).toContain(`model/model.json 5,210 ${'9c'.repeat(32)}`);
  });

  it('says when options or files are not recorded', () => {
    const bare = textOf(reproduceSection({ ...IMPROVED_RUN, options: {}, outputs: [] }).body);
    expect(bare).toContain('No options are recorded.');
    expect(bare).toContain('Output files: none recorded.');
    expect(textOf(reproduceSection({ ...IMPROVED_RUN, options: { gone: undefined } }).body)).toContain(
      'gone undefined',
    );
  });
});
