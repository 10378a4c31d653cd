import { parquetWriteBuffer } from 'hyparquet-writer';
import { beforeAll, describe, expect, it } from 'vitest';
import { auditPredictions, type PredictionsAudit } from '../../../core/data/audit-predictions.ts';
import { auditReportSchema } from '../../../core/jobs/audit-schema.ts';
import { startBackend } from '../../../worker/backend.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();
const columns = { label: 'y', score: 'p', sensitiveFeatures: ['sex', 'race'] };

/** Twelve rows: sex, race, label, score. */
const rows = [
  ['f', 'a', 1, 0.9],
  ['f', 'a', 1, 0.2],
  ['f', 'a', 0, 0.8],
  ['f', 'b', 0, 0.1],
  ['f', 'b', 1, 0.7],
  ['f', 'b', 0, 0.3],
  ['m', 'a', 1, 0.6],
  ['m', 'a', 0, 0.4],
  ['m', 'a', 0, 0.5],
  ['m', 'b', 1, 0.5],
  ['m', 'b', 1, 0.4],
  ['m', 'b', 0, 0.2],
] as const;

beforeAll(() => startBackend('cpu').then(() => undefined));

async function auditRows(content: string | Uint8Array, name: string, change: Partial<PredictionsAudit> = {}) {
  const path = await folder.write(name, content);
  return auditPredictions({ path, columns, threshold: 0.5, replicates: 0, ...change });
}

const csv = `sex,race,y,p\n${rows.map((row) => `${row.join()}\n`).join('')}`;

describe('auditPredictions', () => {
  it('counts as by hand, intersections too, and says how rows were read', async () => {
    const report = await auditRows(csv, 'rows.csv', { intersections: 2 });
    auditReportSchema.parse(report);
    expect(report.features.map(({ sensitiveFeature }) => sensitiveFeature)).toEqual([
      'sex',
      'race',
      'sex × race',
    ]);
    const selected = report.features.map(({ groups }) =>
      groups.map(({ group, rates: { selectionRate } }) => [
        group,
        selectionRate.numerator,
        selectionRate.support,
      ]),
    );
    expect(selected).toEqual([
      [
        ['f', 3, 6],
        ['m', 3, 6],
      ],
      [
        ['a', 4, 6],
        ['b', 2, 6],
      ],
      [
        ['f × a', 2, 3],
        ['f × b', 1, 3],
        ['m × a', 2, 3],
        ['m × b', 1, 3],
      ],
    ]);
    expect(report.input).toEqual({ rows: 12, audited: 12, missing: [], bins: [] });
  });

  it('finds the same in every format', async () => {
    const expected = await auditRows(csv, 'rows.csv');
    const jsonl = rows.map(([sex, race, y, p]) => `${JSON.stringify({ p, y, race, sex })}\n`).join('');
    const column = (place: number) => rows.map((row) => row[place]);
    const parquet = parquetWriteBuffer({
      columnData: [
        { name: 'y', data: column(2), type: 'INT64' as const },
        { name: 'p', data: column(3), type: 'DOUBLE' as const },
        { name: 'race', data: column(1), type: 'STRING' as const },
        { name: 'sex', data: column(0), type: 'STRING' as const },
      ].map((one) =>
        one.type === 'INT64' ? { ...one, data: column(2).map((label) => BigInt(label!)) } : one,
      ),
    });
    expect(await auditRows(jsonl, 'rows.jsonl')).toEqual(expected);
    expect(await auditRows(new Uint8Array(parquet), 'rows.parquet')).toEqual(expected);
  });

  it('sets each of several classes against the others', async () => {
    const table =
      'g,y,cat,dog,cow\na,cat,0.6,0.3,0.1\na,dog,0.5,0.4,0.1\nb,cow,0,0.2,0.8\nb,dog,0.1,0.7,0.2\n';
    const classScores = { cat: 'cat', dog: 'dog', cow: 'cow' };
    const several = { label: 'y', sensitiveFeatures: ['g'], classScores };
    const report = await auditRows(table, 'classes.csv', { columns: several });
    auditReportSchema.parse(report);
    expect(report.threshold).toBeNull();
    const found = report.classes!.map(({ label, overall }) => [label, overall.rates.selectionRate.numerator]);
    expect(found).toEqual([
      ['cat', 2],
      ['dog', 1],
      ['cow', 1],
    ]);
    // Three of four rows are right: of the 12 decisions against the rest, 10.
    expect(report.overall.rates.accuracy.value).toBeCloseTo(10 / 12, 12);
    expect(report.input).toMatchObject({ rows: 4 });
  });

  it('refuses options that are out of range before it reads the table', async () => {
    await expect(auditRows('no table', 'none.csv', { replicates: 100_001 })).rejects.toThrow(
      'replicates: expected an integer from 0 to 100000, received 100001',
    );
  });

  it('uses predictions without a threshold', async () => {
    const predicted = { ...columns, score: undefined, prediction: 'p' };
    const table = csv.replace(/0\.\d/g, (score) => (Number(score) >= 0.5 ? '1' : '0'));
    const report = await auditRows(table, 'decided.csv', { columns: predicted });
    expect(report.threshold).toBeNull();
    expect(report.features[1]!.groups[0]!.rates.selectionRate).toMatchObject({ numerator: 4, support: 6 });
  });
});
