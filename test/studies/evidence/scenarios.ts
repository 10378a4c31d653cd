import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import type { TablePreprocess } from '../../../core/data/preprocess.ts';
import type { DataSource } from '../../../worker/load-data.ts';
import { writeScenario } from '../../acceptance/ham-data.ts';
import { trainBase } from './base-model.ts';

const SHARED = path.join(import.meta.dirname, '../../../../shared');

/** One question of the study: data, a sensitive feature, and a classifier that somebody might have trained. */
export interface Scenario {
  readonly name: string;
  /** What it is, for the head of its table. */
  readonly title: string;
  /** Seeds; of NIH each has a fold of its own. */
  readonly seeds: number;
  /** Makes what is not there yet in `folder`. */
  readonly prepare: (folder: string, seed: number) => Promise<DataSource>;
}

type Row = Readonly<Record<string, string>>;

/** Every image scenario has these columns. */
const IMAGE_COLUMNS = {
  image: 'file',
  label: 'label',
  sensitiveFeatures: ['group'],
  subject: 'subject',
  split: 'split',
};

const PIXELS = { resize: 'stretch', scale: 1 / 255, mean: 0.5, std: 0.25 } as const;

async function readRows(file: string): Promise<Row[]> {
  return parse(await readFile(path.join(SHARED, 'data', file), 'utf8'), { columns: true }) as Row[];
}

async function writeRows(file: string, rows: readonly Row[]): Promise<string> {
  const columns = Object.keys(rows[0]!);
  const lines = rows.map((row) => columns.map((column) => row[column]).join(','));
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${[columns.join(','), ...lines].join('\n')}\n`);
  return file;
}

/** The PyTorch classifier that learned to read a violet dot as malignant. */
const hamArtefact: Scenario = {
  name: 'ham-artefact',
  title: 'HAM10000, a violet dot that went with the label in training',
  seeds: 5,
  async prepare(folder) {
    const manifest = await writeScenario(path.join(SHARED, 'data/ham10000-64'), 'artefact', folder);
    return {
      model: path.join(SHARED, 'models/ham-artefact-plain'),
      preprocess: path.join(SHARED, 'models/preprocess.json'),
      manifest,
      columns: { ...IMAGE_COLUMNS, subject: 'lesion' },
    };
  },
};

/** One classifier of the images as they are, for every feature of its patients. */
function ham(feature: 'age' | 'sex', groupOf: (row: Row) => string): Scenario {
  return {
    name: `ham-${feature}`,
    title: `HAM10000, ${feature}`,
    seeds: 3,
    async prepare(folder) {
      const rows = (await readRows('ham10000-64/labels.csv')).map((row) => ({
        file: row.file!,
        label: row.label!,
        group: groupOf(row),
        subject: row.lesion_id!,
        split: row.split!,
      }));
      const manifest = await writeRows(path.join(folder, 'manifest.csv'), rows);
      const source = {
        manifest,
        root: path.join(SHARED, 'data/ham10000-64'),
        columns: IMAGE_COLUMNS,
        preprocess: PIXELS,
        model: path.join(folder, '../ham-model'),
      };
      await trainBase(source, { network: { kind: 'image', channels: 3 }, epochs: 8, seed: 0 });
      return source;
    },
  };
}

const NIH_BLOCKS = 5;

/** Patients in five blocks by number: one is test, the next external, a classifier is trained on the other three. */
function nih(feature: 'view' | 'sex'): Scenario {
  return {
    name: `nih-${feature}`,
    title: `NIH chest X-rays, ${feature === 'view' ? 'view (AP or PA)' : 'sex'}, folds of patients`,
    seeds: NIH_BLOCKS,
    async prepare(folder, seed) {
      const all = await readRows('nih-cxr-1000-64/labels.csv');
      const patients = [...new Set(all.map(({ patient_id }) => patient_id!))].sort();
      const splitOf = (patient: string) => {
        const block = (patients.indexOf(patient) + NIH_BLOCKS - seed) % NIH_BLOCKS;
        return block === 0 ? 'test' : block === 1 ? 'external' : 'train';
      };
      const rows = all.map((row) => ({
        file: row.file!,
        label: row.label!,
        group: row[feature]!,
        subject: row.patient_id!,
        split: splitOf(row.patient_id!),
      }));
      const source = {
        manifest: await writeRows(path.join(folder, `manifest-${seed}.csv`), rows),
        root: path.join(SHARED, 'data/nih-cxr-1000-64'),
        columns: IMAGE_COLUMNS,
        preprocess: { ...PIXELS, channels: 'grey' as const },
        model: path.join(folder, `../nih-model-${seed}`),
      };
      await trainBase(source, { network: { kind: 'image', channels: 1 }, epochs: 20, seed });
      return source;
    },
  };
}

interface TableScenario {
  readonly file: string;
  readonly sensitive: string;
  readonly numbers: readonly string[];
  readonly categories: readonly string[];
  /** Rows that the study reads. */
  readonly keeps: (row: Row) => boolean;
}

function table(about: Pick<Scenario, 'name' | 'title'>, of: TableScenario): Scenario {
  return {
    ...about,
    seeds: 3,
    async prepare(folder) {
      const rows = (await readRows(of.file)).filter(of.keeps);
      const train = rows.filter(({ split }) => split === 'train');
      const columns = ['label', of.sensitive, ...of.numbers, ...of.categories, 'split'];
      const written = rows.map((row) =>
        Object.fromEntries(columns.map((name) => [name, row[name] === '' ? 'none' : row[name]!])),
      );
      const preprocess: TablePreprocess = {
        features: [
          ...of.numbers.map((column) => ({ column, ...momentsOf(train, column) })),
          ...of.categories.map((column) => ({
            column,
            categories: [...new Set(written.map((row) => row[column]!))].sort(),
            unknown: 'error' as const,
          })),
        ],
      };
      const source = {
        manifest: await writeRows(path.join(folder, 'manifest.csv'), written),
        columns: { label: 'label', sensitiveFeatures: [of.sensitive], split: 'split' },
        preprocess,
        model: path.join(folder, 'model'),
      };
      const width = preprocess.features.reduce(
        (sum, feature) => sum + ('categories' in feature ? feature.categories.length : 1),
        0,
      );
      await trainBase(source, { network: { kind: 'table', width }, epochs: 10, seed: 0 });
      return source;
    },
  };
}

function momentsOf(rows: readonly Row[], column: string): { mean: number; std: number } {
  const values = rows.map((row) => Number(row[column]));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance) || 1 };
}

const RACES = new Set(['African-American', 'Caucasian']);

export const SCENARIOS: readonly Scenario[] = [
  hamArtefact,
  ham('age', ({ age_band: band }) =>
    band === '' ? '' : band === '60-74' || band === '75+' ? '60 and over' : 'under 60',
  ),
  ham('sex', ({ sex }) => sex!),
  nih('view'),
  nih('sex'),
  table(
    { name: 'compas', title: 'COMPAS two-year recidivism, race (African-American, Caucasian)' },
    {
      file: 'compas/compas.csv',
      sensitive: 'race',
      numbers: ['priors_count', 'juv_fel_count', 'juv_misd_count', 'juv_other_count'],
      categories: ['age_cat', 'c_charge_degree', 'sex'],
      keeps: ({ race }) => RACES.has(race!),
    },
  ),
  table(
    { name: 'adult', title: 'Adult income above 50K, sex' },
    {
      file: 'adult/adult.csv',
      sensitive: 'sex',
      numbers: ['education_num', 'hours_per_week', 'capital_gain', 'capital_loss'],
      categories: ['age_band', 'workclass', 'marital_status', 'occupation'],
      keeps: () => true,
    },
  ),
];
