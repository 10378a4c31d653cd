import { describe, expect, test } from 'vitest';
import { InvalidInputError } from '../../core/errors.ts';
import { mitigatedFeatures } from '../../worker/mitigated-features.ts';

const KNOWN = { names: ['sex', 'age', 'site'], cellMinimum: 3 };

describe('mitigatedFeatures', () => {
  test('are the first alone unless others are named', () => {
    expect(mitigatedFeatures({ intersections: 1 }, KNOWN)).toEqual({ sensitiveFeature: 'sex' });
    expect(mitigatedFeatures({ sensitiveFeatures: ['age'], intersections: 1 }, KNOWN)).toEqual({
      sensitiveFeature: 'age',
    });
  });

  test('are one and those besides it', () => {
    expect(mitigatedFeatures({ sensitiveFeatures: ['age', 'sex'], intersections: 2 }, KNOWN)).toEqual({
      sensitiveFeature: 'age',
      further: { sensitiveFeatures: ['sex'], intersections: 2, cellMinimum: 3 },
    });
  });

  test.each([
    [{ sensitiveFeatures: ['race'], intersections: 1 }, /\(sex, age, site\), each once, received "race"$/],
    [{ sensitiveFeatures: ['sex', 'sex'], intersections: 1 }, /received "sex" twice$/],
    [
      { sensitiveFeatures: ['sex'], intersections: 2 },
      /intersections: expected a whole number from 1 to 1.*received 2$/,
    ],
    [{ sensitiveFeatures: ['sex', 'age'], intersections: 0 }, /from 1 to 2.*received 0$/],
  ])('refuses %o', (choice, message) => {
    expect(() => mitigatedFeatures(choice, KNOWN)).toThrow(message);
    expect(() => mitigatedFeatures(choice, KNOWN)).toThrow(InvalidInputError);
  });
});
