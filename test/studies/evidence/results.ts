import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Decisions } from '../../../worker/methods/evaluate.ts';
import type { MethodResult } from '../../../worker/methods/run-method.ts';
import { decodeTensors, encodeTensors } from '../../../worker/tensor-file.ts';

/** One method for one seed of one scenario. */
export interface Unit {
  readonly scenario: string;
  readonly method: string;
  readonly seed: number;
}

function fileOf(folder: string, { scenario, method, seed }: Unit): string {
  return path.join(folder, scenario, 'results', `${method}-${seed}.safetensors`);
}

export function isDone(folder: string, unit: Unit): boolean {
  return existsSync(fileOf(folder, unit));
}

/** Figures with the decisions behind them, which are of public data and stay in the study's folder. */
export async function saveResult(folder: string, scenario: string, result: MethodResult): Promise<void> {
  const file = fileOf(folder, { ...result, scenario });
  const { decisions, ...figures } = result;
  const { before, after } = decisions;
  const tensors = [...pack('before', before), ...(after ? pack('after', after) : [])];
  const metadata = { figures: JSON.stringify({ ...figures, groupNames: before.rows.groupNames }) };
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.partial`, encodeTensors(new Map(tensors), metadata));
  await rename(`${file}.partial`, file);
}

function pack(prefix: string, { rows, scores, predictions }: Decisions) {
  const { labels, groups, subjects } = rows;
  const arrays = { scores, predictions, labels, groups, subjects };
  return Object.entries(arrays).map(([name, values]) => {
    const numbers = Float64Array.from(values);
    return [`${prefix}/${name}`, { shape: [numbers.length], values: numbers }] as const;
  });
}

export async function loadResult(folder: string, unit: Unit): Promise<MethodResult> {
  const { tensors, metadata } = decodeTensors(await readFile(fileOf(folder, unit)));
  const { groupNames, ...figures } = JSON.parse(metadata.figures!) as Omit<MethodResult, 'decisions'> & {
    groupNames: string[];
  };
  const unpack = (prefix: string): Decisions => {
    const array = (name: string) => tensors.get(`${prefix}/${name}`)!.values as Float64Array;
    return {
      rows: {
        labels: Int32Array.from(array('labels')),
        groups: Int32Array.from(array('groups')),
        subjects: Int32Array.from(array('subjects')),
        groupNames,
      },
      scores: array('scores'),
      predictions: Uint8Array.from(array('predictions')),
    };
  };
  const after = tensors.has('after/scores') ? unpack('after') : null;
  return { ...figures, decisions: { before: unpack('before'), after } };
}
