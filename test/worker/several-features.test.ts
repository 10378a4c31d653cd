import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { disparity } from '../../core/fairness/disparity.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../core/model/formats/tfjs-layers.ts';
import { auditPart } from '../../worker/audit-part.ts';
import { PRESETS } from '../../worker/bmft/options.ts';
import { NO_CHECKPOINTS } from '../../worker/checkpoints.ts';
import { NO_PROGRESS } from '../../worker/progress.ts';
import type { MitigationJob } from '../../worker/run-job.ts';
import { runMitigation } from '../../worker/run-job.ts';
import { useTempFolder } from '../helpers/files.ts';
import type { MadeData } from '../helpers/made-data.ts';
import { makeTable, writeTableClassifier } from '../helpers/made-data.ts';
import { withBackend } from '../helpers/tensors.ts';

const SIZE = 960;

/**
 * Made tables whose artefact follows neither sex nor age but their combination: f × old and m × young have it. By sex
 * and by age the groups fare alike; by both together they do not.
 */
function makeIntersectional(): MadeData {
  const { samples, inputs } = makeTable({ size: SIZE, hasTest: true });
  const hidden = samples.sensitiveFeatures[0]!.groups;
  const sexes = Int32Array.from(hidden, (_, row) => Math.floor(row / 12) % 2);
  const ages = Int32Array.from(hidden, (group, row) => (group + sexes[row]!) % 2);
  return {
    inputs,
    samples: {
      ...samples,
      sensitiveFeatures: [
        { name: 'sex', groupNames: ['f', 'm'], groups: sexes },
        { name: 'age', groupNames: ['old', 'young'], groups: ages },
      ],
    },
  };
}

const { robust } = PRESETS;
const OPTIONS = {
  ...robust,
  mask: { ...robust.mask, percentiles: [50] },
  body: { ...robust.body, epochs: 3, disparityWeights: [10] },
  selection: { ...robust.selection!, checkpoints: [3] },
};

describe('a gap of an intersection', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  const data = makeIntersectional();
  const models: Classifier[] = [];

  beforeAll(() => writeTableClassifier(folder.at('narrow'), { isNarrow: true }));
  afterEach(() => {
    for (const model of models.splice(0)) model.dispose();
  });

  async function run(further?: MitigationJob['further'], made = data) {
    const model = await loadTfjsLayers(folder.at('narrow'));
    models.push(model);
    const job: MitigationJob = {
      model,
      ...made,
      sensitiveFeature: 'sex',
      further,
      splits: { external: 'external', test: ['test'] },
      options: OPTIONS,
      seed: 1,
      threshold: 0.5,
      progress: NO_PROGRESS,
      checkpoints: NO_CHECKPOINTS,
    };
    const gaps = async () => {
      const report = await auditPart({
        ...job,
        sensitiveFeatures: made.samples.sensitiveFeatures,
        rows: [...Array(SIZE).keys()].filter((row) => made.samples.splits![row] === 'test'),
        auditOptions: { intersections: 2, replicates: 0 },
        stage: '',
      });
      return report.features.map(({ groups }) => disparity('equalizedOddsDifference', groups).value!);
    };
    const before = await gaps();
    const result = await runMitigation(job);
    return { ...result, gaps: { before, after: await gaps() } };
  }

  const BOTH = { sensitiveFeatures: ['age'], intersections: 2, cellMinimum: 2 };

  test('is there, is missed by one feature and by two alone, and is lowered with their intersection', async () => {
    const one = await run();
    const [bySex, byAge, byBoth] = one.gaps.before;
    expect(Math.max(bySex!, byAge!)).toBeLessThan(0.15);
    expect(byBoth).toBeGreaterThan(0.5);
    const apart = await run({ ...BOTH, intersections: 1 });
    const together = await run(BOTH);
    expect(together.outcome.status).toBe('improved');
    expect(together.gaps.after[2]).toBeLessThan(0.6 * byBoth!);
    for (const missed of [one, apart]) expect(missed.gaps.after[2]).toBeGreaterThan(0.9 * byBoth!);
  });

  test('is in the outcome with each feature, the audits and the candidates', async () => {
    const { outcome, before, after, candidates, data: use, gaps } = await run(BOTH);
    const names = ['sex', 'age', 'sex × age'];
    expect(before.features.map(({ sensitiveFeature }) => sensitiveFeature)).toEqual(names);
    expect(outcome.features!.map(({ sensitiveFeature }) => sensitiveFeature)).toEqual(names);
    expect(outcome.features!.map((each) => each.before)).toEqual(gaps.before);
    expect(outcome).toMatchObject({
      sensitiveFeature: 'sex × age',
      before: Math.max(...gaps.before),
      after: Math.max(...outcome.features!.map((each) => each.after!)),
    });
    expect(after!.features).toHaveLength(3);
    for (const { select } of candidates) {
      expect(select.byFeature!.map(({ sensitiveFeature }) => sensitiveFeature)).toEqual(names);
      expect(select.disparity).toBe(Math.max(...select.byFeature!.map((each) => each.disparity!)));
      expect(select.groups).toHaveLength(2 + 2 + 4);
    }
    expect(use.merged).toBeUndefined();
    expect(use.parts[0]!.cells).toHaveLength(2 * (2 + 2 + 4));
  });

  /** Without most rows of m × young: those of a row of the external data that are kept have this label. */
  function without(keep: (row: number, label: number) => boolean): MadeData {
    const [sex, age] = data.samples.sensitiveFeatures as [
      (typeof data.samples.sensitiveFeatures)[0],
      (typeof data.samples.sensitiveFeatures)[0],
    ];
    const splits = data.samples.splits!.map((split, row) => {
      const isCell = sex.groups[row] === 1 && age.groups[row] === 1;
      return !isCell || keep(row, data.samples.labels[row]!) ? split : 'unused';
    });
    return { ...data, samples: { ...data.samples, splits } };
  }

  test('of a cell that is missing is named, and the others are mitigated without it', async () => {
    const {
      outcome,
      data: use,
      candidates,
    } = await run(
      BOTH,
      without((_, label) => label === 0),
    );
    expect(use.merged).toEqual([
      {
        sensitiveFeature: 'sex × age',
        group: 'm × young',
        reason: '0 positive labels in the tune part, expected at least 2',
      },
    ]);
    expect(['improved', 'not-improved']).toContain(outcome.status);
    expect(outcome.features).toHaveLength(3);
    for (const { select } of candidates) expect(select.groups).toHaveLength(2 + 2 + 3);
  });

  test('of which no two cells are large enough is rejected, and named', async () => {
    const { outcome } = await run({ ...BOTH, cellMinimum: 1000 });
    expect(outcome.status).toBe('rejected');
    expect(outcome.reasons[0]).toMatch(
      /^sex × age: a disparity needs two cells that are large enough, received 0 of 4/,
    );
  });

  test('repeats from the same seed', async () => {
    const [first, second] = [await run(BOTH), await run(BOTH)];
    expect(second.candidates).toEqual(first.candidates);
    expect(second.gaps).toEqual(first.gaps);
  });
});
