import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { audit } from '../../core/fairness/audit.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../core/model/formats/tfjs-layers.ts';
import { predictScores } from '../../core/model/predict.ts';
import { auditPart } from '../../worker/audit-part.ts';
import type { Progress } from '../../worker/progress.ts';
import { NO_PROGRESS } from '../../worker/progress.ts';
import { useTempFolder } from '../helpers/files.ts';
import { makeTable, writeTableClassifier } from '../helpers/made-data.ts';
import { expectNoLeak, withBackend } from '../helpers/tensors.ts';

const { samples, inputs } = makeTable({ size: 80 });
const ROWS = Array.from({ length: 70 }, (_, place) => 79 - place);

describe('auditPart', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;

  beforeAll(async () => {
    model = await loadTfjsLayers(await writeTableClassifier(folder.at('model')));
  });
  afterAll(() => model.dispose());

  const about = {
    samples,
    inputs,
    sensitiveFeatures: samples.sensitiveFeatures,
    rows: ROWS,
    threshold: 0.6,
    stage: 'audit before',
  };

  test('is the audit of the scores of the rows asked for', async () => {
    const report = await auditPart({ ...about, model, progress: NO_PROGRESS });
    const pick = (values: Int32Array) => Int32Array.from(ROWS, (row) => values[row]!);
    const { name, groupNames, groups } = samples.sensitiveFeatures[0]!;
    expect(report).toEqual(
      audit({
        labels: pick(samples.labels),
        sensitiveFeatures: [{ name, groupNames, groups: pick(groups) }],
        decisions: { scores: await predictScores({ model, inputs, rows: ROWS }), threshold: 0.6 },
      }),
    );
    expect(report.overall.support).toBe(70);
  });

  test('uses the features given, not those of the samples', async () => {
    const one = { name: 'one', groupNames: ['all'], groups: new Int32Array(80) };
    const report = await auditPart({ ...about, sensitiveFeatures: [one], model, progress: NO_PROGRESS });
    expect(report.features.map(({ sensitiveFeature }) => sensitiveFeature)).toEqual(['one']);
  });

  test('reports its stage and every row', async () => {
    const heard: (string | number)[][] = [];
    const progress: Progress = {
      start: (stage, total) => void heard.push(['start', stage, total]),
      advance: (by = 1) => void heard.push(['advance', by]),
      finish: () => void heard.push(['finish']),
    };
    await auditPart({ ...about, model, progress });
    expect(heard[0]).toEqual(['start', 'audit before', 70]);
    expect(heard.slice(1).reduce((sum, [, by]) => sum + Number(by), 0)).toBe(70);
  });

  test('stops when told to', async () => {
    const signal = AbortSignal.abort();
    await expect(auditPart({ ...about, model, progress: NO_PROGRESS, signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  });

  test('leaves no tensor', async () => {
    await expectNoLeak(() => auditPart({ ...about, model, progress: NO_PROGRESS }));
  });
});
