import { describe, expect, test } from 'vitest';
import type { Candidate } from '../../../worker/search/candidate.ts';
import { packCandidates, recordOf, unpackCandidates } from '../../../worker/search/candidate.ts';

const candidate = (id: string, weight: number): Candidate => ({
  id,
  kind: 'bmft',
  settings: { percentile: 50 },
  select: { disparity: 0.1, auc: 0.9, balancedAccuracy: 0.8, threshold: 0.5, groups: [] },
  violations: [],
  standardError: 0.02,
  snapshot: new Map([['body/kernel', Float32Array.of(weight, -0)]]),
  percentile: 50,
  cut: 0.3,
  curves: { body: [], head: [] },
});

describe('a candidate', () => {
  test('comes back from a checkpoint bit for bit, each with its own weights', () => {
    const both = [candidate('first', 1), candidate('second', 2)];
    const { facts, tensors } = packCandidates(both);
    expect(unpackCandidates({ facts: JSON.parse(JSON.stringify(facts)), tensors })).toEqual(both);
  });

  test('is recorded without weights', () => {
    expect(Object.keys(recordOf(candidate('first', 1), true)).sort()).toEqual(
      ['id', 'isChosen', 'kind', 'select', 'settings', 'violations'].sort(),
    );
  });
});
