import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../../core/data/read-json.ts';
import { InvalidInputError } from '../../core/errors.ts';
import { assertAbsent } from '../run-folder.ts';
import { decodeTensors, encodeTensors } from '../tensor-file.ts';
import type { SeedBench } from './bench.ts';
import type { MethodResult } from './run-method.ts';

/** Where a comparison keeps what it has, so that it can go on after it was stopped. */
export interface ResultStore {
  load(name: string, seed: number, shared: SeedBench): Promise<MethodResult | null>;
  save(result: MethodResult): Promise<void>;
}

/** For comparisons that start again from the beginning. */
export const NO_RESULTS: ResultStore = { load: async () => null, save: async () => {} };

/** Decisions about rows lie here while a comparison runs, and are gone once it is complete. */
const UNFINISHED = '.unfinished';
const SETTINGS = 'settings.json';
const COMPLETE = 'comparison.json';

/**
 * A file of figures for each method and seed in a folder. What a model decides about each row, which paired intervals
 * need, lies beside them without names or identifiers until the comparison is complete.
 *
 * @param settings  all that results depend on but method and seed
 * @throws InvalidInputError when the folder holds a complete comparison, one with other settings, or other files; StorageError
 *   when it cannot be made
 */
export async function openResults(folder: string, settings: string): Promise<ResultStore> {
  await assertFits(folder, settings);
  const unfinished = path.join(folder, UNFINISHED);
  await mkdir(unfinished, { recursive: true });
  await writeWhole(path.join(unfinished, SETTINGS), settings);
  const decisionsFile = (name: string, seed: number) =>
    path.join(unfinished, `${nameOf(name, seed)}.safetensors`);
  return {
    load: async (name, seed, { before }) => {
      const text = await readIfThere(path.join(folder, `${nameOf(name, seed)}.json`));
      const bytes = await readIfThere(decisionsFile(name, seed));
      if (text === null || bytes === null) return null;
      const { tensors } = decodeTensors(bytes);
      const [scores, predictions] = [tensors.get('scores'), tensors.get('predictions')];
      const after = scores
        ? {
            rows: before.decisions.rows,
            scores: scores.values as Float64Array,
            predictions: predictions!.values as Uint8Array,
          }
        : null;
      const facts = JSON.parse(text.toString()) as Omit<MethodResult, 'decisions'>;
      return { ...facts, decisions: { before: before.decisions, after } };
    },
    save: async ({ decisions: { after }, ...facts }) => {
      const arrays = after ? { scores: after.scores, predictions: after.predictions } : {};
      const tensors = Object.entries(arrays).map(
        ([name, values]) => [name, { shape: [values.length], values }] as const,
      );
      await writeWhole(decisionsFile(facts.method, facts.seed), encodeTensors(new Map(tensors), {}));
      await writeWhole(
        path.join(folder, `${nameOf(facts.method, facts.seed)}.json`),
        `${JSON.stringify(facts, null, 2)}\n`,
      );
    },
  };
}

/** Writes the comparison, last of all, and removes what was kept to go on from. */
export async function completeResults(folder: string, comparison: object): Promise<void> {
  await rm(path.join(folder, UNFINISHED), { recursive: true, force: true });
  await writeWhole(path.join(folder, COMPLETE), `${JSON.stringify(comparison, null, 2)}\n`);
}

async function assertFits(folder: string, settings: string): Promise<void> {
  const names = await namesIn(folder);
  if (names === null) return assertAbsent(folder);
  if (names.length > 0 && !names.includes(UNFINISHED) && !names.includes(COMPLETE)) throw hasOthers(folder);
  if ((await readIfThere(path.join(folder, COMPLETE))) !== null) {
    throw new InvalidInputError(
      `output "${folder}": expected a folder that does not exist yet or an unfinished comparison, received a complete one`,
      { folder },
    );
  }
  const known = await readIfThere(path.join(folder, UNFINISHED, SETTINGS));
  if (known === null || known.toString() === settings) return;
  throw new InvalidInputError(
    `output "${folder}": expected a comparison of the same model, data and settings to go on with, received another`,
    { folder },
  );
}

/** Null where there is nothing of this name, or nothing to look into: whether it can be made is another question. */
async function namesIn(folder: string): Promise<string[] | null> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null;
    throw error;
  }
}

/** Such as the folder of a run, to which files of another kind would be added. */
const hasOthers = (folder: string): InvalidInputError =>
  new InvalidInputError(
    `output "${folder}": expected a folder that does not exist yet or an unfinished comparison, received one with other files`,
    { folder },
  );

function nameOf(method: string, seed: number): string {
  return `${method}-seed-${seed}`;
}

async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** The file is there whole, or not at all. */
async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const partial = `${file}.partial`;
  await writeFile(partial, content);
  await rename(partial, file);
}
