import { describe, expect, it } from 'vitest';
import { notChecked } from '../../../core/checks/not-checked.ts';
import type { CheckedSet } from '../../../core/checks/sets.ts';

const part = (name: string, subjects?: readonly string[]): CheckedSet => ({
  name,
  isTest: name === 'test',
  samples: { size: 1, labels: Int32Array.of(1), sensitiveFeatures: [], ...(subjects && { subjects }) },
  images: null,
  table: null,
  seen: null,
});
const figures = { distance: 0.3, byChance: 0.02, excess: 0.28 };
const distance = { whole: figures, groups: [], layers: [] } as unknown as Parameters<
  typeof notChecked
>[0]['distance'];

describe('notChecked', () => {
  it('is empty where all could be looked at', () => {
    const [tune, test] = [part('tune', ['a']), part('test', ['b'])];
    expect(notChecked({ parts: [tune, test], test, distance })).toEqual([]);
  });

  it('names test data, subjects and the trace of training where there is none', () => {
    const sentences = notChecked({ parts: [part('tune')], test: null, distance: null });
    expect(sentences.map((sentence) => sentence.split(':')[0])).toEqual([
      'Test data',
      'Subjects',
      'Distance from training',
    ]);
  });

  it('counts subjects as absent where one part has none', () => {
    const test = part('test');
    expect(notChecked({ parts: [part('tune', ['a']), test], test, distance })).toHaveLength(1);
  });
});
