import { describe, expect, it } from 'vitest';
import { movementOf, movementWords } from '../../../../core/report/facts/movement.ts';

describe('movementOf', () => {
  it('calls a smaller difference narrower and a smaller ratio wider', () => {
    expect(movementOf('equalizedOddsDifference', 0.9, 0.1)).toBe('narrower');
    expect(movementOf('equalizedOddsDifference', 0.1, 0.9)).toBe('wider');
    expect(movementOf('demographicParityRatio', 0.9, 0.1)).toBe('wider');
    expect(movementOf('demographicParityRatio', 0.1, 0.9)).toBe('narrower');
  });

  it('measures a ratio from 1 on both sides: 4 and 1/4 are equally far', () => {
    expect(movementOf('disparateImpactRatio', 47.6, 1.08)).toBe('narrower');
    expect(movementOf('disparateImpactRatio', 1.08, 47.6)).toBe('wider');
    expect(movementOf('disparateImpactRatio', 4, 0.5)).toBe('narrower');
    expect(movementOf('disparateImpactRatio', 0.5, 4)).toBe('wider');
    expect(movementOf('disparateImpactRatio', 4, 0.25)).toBe('same');
  });

  it('sees no movement below three decimals', () => {
    expect(movementOf('equalizedOddsDifference', 0.1001, 0.1002)).toBe('same');
  });
});

describe('movementWords', () => {
  it('says where a figure went', () => {
    expect(movementWords(0.92, 0.11)).toBe('fell from 0.920 to 0.110');
    expect(movementWords(0.11, 0.92)).toBe('rose from 0.110 to 0.920');
    expect(movementWords(0.1101, 0.1102)).toBe('stayed at 0.110');
  });
});
