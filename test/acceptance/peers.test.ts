import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { LIBRARIES } from '../../core/fairness/libraries/index.ts';
import { findNumber, inputFrom } from '../helpers/library-inputs.ts';

const DATA = path.join(import.meta.dirname, '../../../shared/data');

/** The data is not part of this repository; where it is absent the tests count as skipped. */
const isSkipped = !existsSync(DATA);

const read = (file: string) =>
  parse(readFileSync(path.join(DATA, file), 'utf8'), { columns: true }) as Record<string, string>[];

/** Aequitas, compas_demo.ipynb: race against Hispanic, printed there to six digits. */
const AEQUITAS = [
  ['fpr_disparity', 'African-American', 2.087696],
  ['fpr_disparity', 'Caucasian', 1.091838],
  ['fpr_disparity', 'Asian', 0.404798],
  ['fpr_disparity', 'Native American', 1.74569],
  ['fpr_disparity', 'Other', 0.686829],
  ['fnr_disparity', 'African-American', 0.503301],
  ['fnr_disparity', 'Caucasian', 0.858266],
  ['pprev_disparity', 'African-American', 1.97203],
  ['pprev_disparity', 'Caucasian', 1.166727],
  ['tpr_disparity', 'African-American', 1.622079],
  ['tpr_disparity', 'Caucasian', 1.177511],
] as const;

describe.skipIf(isSkipped)('figures that libraries published, under their names', () => {
  test('Aequitas on COMPAS', () => {
    const rows = read('compas/compas.csv');
    const input = inputFrom({
      labels: rows.map(({ label }) => Number(label)),
      predictions: rows.map(({ pred_medium_high }) => Number(pred_medium_high)),
      groups: rows.map(({ race }) => race!),
      reference: 'Hispanic',
    });
    const numbers = LIBRARIES.aequitas.numbers(input);
    for (const [name, group, published] of AEQUITAS) {
      const { value, ours } = findNumber(
        numbers.filter(({ against }) => against !== null),
        name,
        [group],
      );
      expect(Number(Number(value).toFixed(6)), `${name} of ${group}`).toBe(published);
      expect(ours!.value).toBe(value);
    }
  });

  test('AIF360 on German credit: good credit is favourable, women against men', () => {
    const rows = read('german-credit/german.csv');
    const labels = rows.map(({ label }) => 1 - Number(label));
    const groups = rows.map(({ sex }) => sex!);
    const numbers = LIBRARIES.aif360.numbers(
      inputFrom({ labels, predictions: labels, groups, reference: 'male' }),
    );
    // examples/demo_json_explainers.ipynb, all twelve digits
    expect(findNumber(numbers, 'disparate_impact of the labels', ['female']).value).toBeCloseTo(
      0.896567328205,
      12,
    );
  });
});
