import { describe, expect, test } from 'vitest';
import { PRESETS } from '../../../worker/bmft/options.ts';
import type { ComparedOptions } from '../../../worker/methods/method.ts';
import { DEFAULT_METHODS, METHOD_NAMES } from '../../../worker/methods/names.ts';
import { METHODS } from '../../../worker/methods/registry.ts';

describe('every method', () => {
  test('is named to the command line, in the order of the table', () => {
    expect(Object.keys(METHODS)).toEqual([...METHOD_NAMES]);
    for (const name of DEFAULT_METHODS) expect(METHOD_NAMES).toContain(name);
  });

  test.each(Object.entries(METHODS))('%s is found by its name and says what it is', (name, method) => {
    expect(method.name).toBe(name);
    expect(method.about).toMatch(/^[A-Z].+\.$/);
    expect(method.source.length).toBeGreaterThan(5);
    const epochs = method.expectedEpochs(PRESETS.robust as ComparedOptions);
    expect(epochs).toBeGreaterThanOrEqual(0);
    expect(epochs).toBeLessThan(100);
  });
});
