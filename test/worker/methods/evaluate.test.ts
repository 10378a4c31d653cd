import { describe, expect, test } from 'vitest';
import { MISSING_GROUP } from '../../../core/data/types.ts';
import { evaluate } from '../../../worker/methods/evaluate.ts';
import { makeTableBench, useTableClassifier } from '../../helpers/bench.ts';
import { makeTable } from '../../helpers/made-data.ts';

describe('evaluate', () => {
  const table = useTableClassifier();

  test('shifts the logits of a group by its offset', async () => {
    const { job, parts } = await makeTableBench(table.model).at(1);
    const plain = (await evaluate({ job, parts })).decisions;
    const shifted = (await evaluate({ job, parts, groupOffsets: [0, Math.log(3)] })).decisions;
    plain.scores.forEach((score, row) => {
      const odds = (score / (1 - score)) * (plain.rows.groups[row] === 1 ? 3 : 1);
      expect(shifted.scores[row]).toBeCloseTo(odds / (1 + odds), 6);
    });
  });

  test('numbers subjects in order of appearance', async () => {
    const data = makeTable({ size: 240, hasTest: true });
    const subjects = Array.from({ length: 240 }, (_, row) => `patient ${row >> 1}`);
    const bench = makeTableBench(table.model, { samples: { ...data.samples, subjects } });
    const { subjects: numbers } = (await bench.at(1)).before.decisions.rows;
    expect([...numbers.slice(0, 6)]).toEqual([0, 0, 1, 1, 2, 2]);
  });

  test('gives rows without a group the number -1 and no offset', async () => {
    const data = makeTable({ size: 240, hasTest: true });
    const feature = data.samples.sensitiveFeatures[0]!;
    const groups = feature.groups.map((group, row) => (row % 24 === 8 ? 2 : group)); // rows 8, 32, … are test rows
    const sensitiveFeatures = [{ ...feature, groupNames: ['a', 'b', MISSING_GROUP], groups }];
    const bench = makeTableBench(table.model, { samples: { ...data.samples, sensitiveFeatures } });
    const { job, parts, before } = await bench.at(1);
    const { rows, scores } = before.decisions;
    expect(rows.groupNames).toEqual(['a', 'b']);
    expect(rows.groups.filter((group) => group === -1)).toHaveLength(10);
    const shifted = (await evaluate({ job, parts, groupOffsets: [1, 1] })).decisions.scores;
    const unmoved = [...scores.keys()].filter((row) => shifted[row] === scores[row]);
    expect(unmoved).toEqual([...scores.keys()].filter((row) => rows.groups[row] === -1));
  });
});
