import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { RunRecord } from '../../core/jobs/run-record.ts';
import type { Classifier, Parameter } from '../../core/model/classifier.ts';
import { mitigationOptionsSchema } from '../bmft/options.ts';
import { hashFile } from '../run-folder.ts';
import { decodeTensors } from '../tensor-file.ts';
import { MASK_FILE } from './check-files.ts';
import type { Finding, RunFolder } from './types.ts';
import { check, skipped } from './verify-run.ts';

/** Whether the original model is the one that the run read. */
export async function sourceProblems({ inputs }: RunRecord, { sources }: Classifier): Promise<string[]> {
  const files = await Promise.all(sources.map(hashFile));
  return files.flatMap(({ name, sha256 }) =>
    inputs.some((input) => input.name === name && input.sha256 === sha256)
      ? []
      : [`model file "${name}" is not the one that the run read`],
  );
}

/** Weights of the saved model that moved although the mask holds them. */
export function frozenFindings(
  { folder, run }: RunFolder,
  { original, tuned }: { readonly original: Classifier; readonly tuned: Classifier },
): Promise<Finding[]> {
  const options = mitigationOptionsSchema.parse(run.options);
  if (run.mask?.isApplied && options.body.maskActsOn === 'gradient') {
    return skipped(
      'model',
      `preset ${run.preset} decays every weight after the mask, so weights outside of it may move`,
    );
  }
  return check(
    'model',
    () => {
      const { tensors } = decodeTensors(readFileSync(path.join(folder, MASK_FILE)));
      const isFree = (name: string, place: number) =>
        run.mask!.isApplied && tensors.get(name)!.values[place] !== 0;
      return [
        ...movedIn([original.body, tuned.body], isFree),
        ...(options.body.normalizationMoves
          ? []
          : movedIn([original.statistics, tuned.statistics], () => false)),
      ];
    },
    'weights of the body outside of the mask are bit-identical to those of the original',
  );
}

function movedIn(
  [before, after]: readonly [readonly Parameter[], readonly Parameter[]],
  isFree: (name: string, place: number) => boolean,
): string[] {
  return before.flatMap((parameter, index) => {
    const other = after[index];
    if (other?.variable.size !== parameter.variable.size) return [`"${parameter.name}" has another shape`];
    const [from, to] = [bitsOf(parameter), bitsOf(other)];
    let moved = 0;
    for (let place = 0; place < from.length; place += 1) {
      if (from[place] !== to[place] && !isFree(parameter.name, place)) moved += 1;
    }
    return moved === 0 ? [] : [`"${parameter.name}" has ${moved} weights that moved outside of the mask`];
  });
}

function bitsOf({ variable }: Parameter): Int32Array {
  const values = variable.dataSync() as Float32Array;
  return new Int32Array(values.buffer, values.byteOffset, values.length);
}
