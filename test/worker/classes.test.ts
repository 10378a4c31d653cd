import { readFile, writeFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { highestClasses } from '../../core/fairness/class-audit.ts';
import type { AuditReport } from '../../core/fairness/types.ts';
import type { RunRecord } from '../../core/jobs/run-record.ts';
import { INFERENCE } from '../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../core/model/formats/tfjs-layers.ts';
import { makeRandom } from '../../worker/random.ts';
import { runCommand } from '../helpers/cli.ts';
import { writeModel } from '../helpers/made-data.ts';
import { filesIn, useWorkshop } from '../helpers/made-files.ts';
import { withBackend } from '../helpers/tensors.ts';

useWorkshop();

const CLASSES = ['nv', 'mel', 'bcc'];
const SIZE = 1080;
const FEATURES = ['f0', 'f1', 'f2', 'artefact'];

/**
 * Three noisy signs, one for each class, and an artefact that old men and young women have and that the model takes for
 * the sign of `mel`: by sex and by age alone the groups fare alike.
 */
function table(): string {
  const random = makeRandom(7);
  const bell = () => random.next() + random.next() + random.next() - 1.5;
  const rows = Array.from({ length: SIZE }, (_, row) => {
    const label = row % 3;
    const [sex, age] = [Math.floor(row / 3) % 2, Math.floor(row / 6) % 2];
    const split = Math.floor(row / 12) % 3 === 2 ? 'test' : 'external';
    const artefact = random.next() < (sex === age ? 0.1 : 0.9) ? 1 : 0;
    const signs = CLASSES.map((_, k) => ((k === label ? 1.3 : 0) + 1.6 * bell()).toFixed(4));
    return [split, sex ? 'm' : 'f', age ? 'old' : 'young', CLASSES[label], ...signs, artefact].join(',');
  });
  return `${['split', 'sex', 'age', 'diagnosis', ...FEATURES].join(',')}\n${rows.join('\n')}\n`;
}

async function writeClassModel(folder: string): Promise<void> {
  const model = sequential({
    layers: [
      layers.dense({ name: 'hidden', units: 4, inputShape: [4], activation: 'linear' }),
      layers.dense({ name: 'head', units: 3, activation: 'softmax' }),
    ],
  });
  tf.tidy(() => {
    model.setWeights([
      tf.tensor2d([1, 0, 0, 0.1, 0, 1, 0, -0.1, 0, 0, 1, 0.1, -0.5, 1.6, 0, 0.1], [4, 4]),
      tf.zeros([4]),
      tf.tensor2d([2, 0, 0, 0, 2, 0, 0, 0, 2, 0.1, -0.1, 0.1], [4, 3]),
      tf.tensor1d([0.3, -1, 0.1]),
    ]);
  });
  await writeModel(folder, model);
  model.dispose();
}

const FEW = {
  mask: { percentiles: [50] },
  body: { epochs: 2, disparityWeights: [1] },
  head: { disparityWeights: [1], iterations: 60 },
  selection: { checkpoints: [2] },
};
const COLUMNS =
  '--manifest rows.csv --label diagnosis --sensitive sex age --split-column split --preprocess rows.json';
const CHOSEN = `--classes ${CLASSES.join(' ')} --mitigate sex age --intersections 2 --options few.json --backend wasm --threads 1`;
const mitigate = (out: string, flags = CHOSEN) =>
  runCommand(`mitigate --model softmax ${COLUMNS} --out ${out} ${flags}`);

describe('three classes, two features and their intersection', () => {
  withBackend('wasm');
  let record: RunRecord;
  let audits: { before: AuditReport; after: AuditReport };

  beforeAll(async () => {
    await writeFile('rows.csv', table());
    const scaled = FEATURES.map((column) => ({ column, mean: 0, std: 1 }));
    await writeFile('rows.json', JSON.stringify({ features: scaled }));
    await writeFile('few.json', JSON.stringify(FEW));
    await writeClassModel('softmax');
    const { exitCode, stdout, leaked } = await mitigate('several', `${CHOSEN} --json`);
    expect({ exitCode, leaked }).toEqual({ exitCode: 0, leaked: 0 });
    record = JSON.parse(stdout) as RunRecord;
    const read = async (name: string) =>
      JSON.parse(await readFile(`several/audit-${name}.json`, 'utf8')) as AuditReport;
    audits = { before: await read('before'), after: await read('after') };
  });

  it('lower the gap that neither feature shows alone, on the test split', () => {
    const [bySex, byAge, byBoth] = record.outcome.features!;
    expect(record.outcome.status).toBe('improved');
    expect(Math.max(bySex!.before!, byAge!.before!)).toBeLessThan(byBoth!.before! / 2);
    expect(byBoth!.after).toBeLessThan(0.7 * byBoth!.before!);
    expect(record.outcome.before).toBe(byBoth!.before);
  });

  it('are audited one against the rest, and judged by the mean over classes', () => {
    for (const [report, value] of [
      [audits.before, record.outcome.features![2]!.before],
      [audits.after, record.outcome.features![2]!.after],
    ] as const) {
      expect(report.classes!.map(({ label }) => label)).toEqual(CLASSES);
      const gaps = report.classes!.map(({ features }) => {
        const { groups } = features.find(({ sensitiveFeature }) => sensitiveFeature === 'sex × age')!;
        const spread = (rates: number[]) => Math.max(...rates) - Math.min(...rates);
        return Math.max(
          spread(groups.map(({ rates }) => rates.truePositiveRate.value!)),
          spread(groups.map(({ rates }) => rates.falsePositiveRate.value!)),
        );
      });
      expect(value).toBeCloseTo(gaps.reduce((sum, gap) => sum + gap, 0) / 3, 12);
    }
  });

  it('have balanced accuracy as mean recall, and no threshold', () => {
    expect(audits.after.threshold).toBeNull();
    expect(record.threshold).toEqual({ value: 0.5, biasShift: 0 });
    expect(record.model.notes!.join(' ')).toMatch(/each of the head's 3 units stands for a class/i);
  });

  it('show their cells by class in the record and in the report, with each class against the rest', async () => {
    const { cells } = record.data.parts[0]!;
    expect(new Set(cells.map(({ className }) => className))).toEqual(new Set(CLASSES));
    expect(cells).toHaveLength(3 * (2 + 2 + 4));
    const report = await readFile('several/report.html', 'utf8');
    for (const name of CLASSES) expect(report).toContain(`>${name}<`);
    expect(report).toContain('sex × age');
    expect(report).not.toContain('NaN');
  });

  it('are saved as a model of the same classes, whose audit is that of the run', async () => {
    const again = await mitigate('again', CHOSEN);
    expect(again.exitCode).toBe(0);
    expect(await filesIn('again')).toEqual(await filesIn('several'));
    const model = await loadTfjsLayers('several/model', { classes: CLASSES });
    const rows = table()
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','))
      .filter(([split]) => split === 'test');
    const features = tf.tensor2d(rows.map((cells) => cells.slice(4).map(Number)));
    const logits = model.logits(features, INFERENCE);
    const predicted = highestClasses(logits.dataSync(), 3);
    for (const [k, { overall }] of audits.after.classes!.entries()) {
      const hits = rows.filter((cells, row) => cells[3] === CLASSES[k] && predicted[row] === k);
      expect(overall.counts.truePositives).toBe(hits.length);
    }
    tf.dispose([features, logits]);
    model.dispose();
  });

  it('leave a run folder that verify finds nothing to say against', async () => {
    const { exitCode, stdout } = await runCommand(`verify several --model softmax ${COLUMNS}`);
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toContain('again on this data');
  });

  it.each([
    ['--classes nv mel', /three classes at least, received 2/],
    ['--classes nv mel bcc ak', /a class for each of its 3 units, in their order, received 4/],
    ['--classes nv mel ak', /expected labels among the classes \(nv, mel, ak\), received "bcc"/],
    ['--classes nv mel bcc --positive-class 1', /classes or a positive class, received both/],
    ['--classes nv mel bcc --preset bmft-released', /classes: expected the preset "robust"/],
    ['--classes nv mel bcc --explain', /classes: expected no explanation/],
  ])('refuse %s', async (flags, message) => {
    const { exitCode, stderr } = await mitigate('refused', flags);
    expect(exitCode).toBe(64);
    expect(stderr).toMatch(message);
  });
});
