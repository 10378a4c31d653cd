import type { MaskSummary } from '../../core/jobs/run-record.ts';
import { decodeTensors, type NamedTensor } from '../tensor-file.ts';

/** Tolerance of sums of float32 entries, relative. */
const ROUNDING = 1e-6;

/** Where the file of a mask and its summary in `run.json` disagree. */
export function maskProblems(bytes: Uint8Array, summary: MaskSummary): string[] {
  const { tensors, metadata } = decodeTensors(bytes);
  const { kind, layers, selected, total } = summary;
  const sumOf = (pick: 'selected' | 'size') => layers.reduce((sum, layer) => sum + layer[pick], 0);
  return [
    ...(metadata.kind === kind ? [] : [`the mask is ${metadata.kind}, run.json says ${kind}`]),
    ...(isClose(sumOf('selected'), selected)
      ? []
      : [`layers select ${sumOf('selected')}, run.json says ${selected}`]),
    ...(sumOf('size') === total ? [] : [`layers have ${sumOf('size')} weights, run.json says ${total}`]),
    ...[...tensors].flatMap(([name, tensor]) => entryProblems(name, tensor, kind)),
    ...layers.flatMap(({ parameter, ...layer }) => layerProblems(parameter, tensors.get(parameter), layer)),
  ];
}

function entryProblems(name: string, { values }: NamedTensor, kind: MaskSummary['kind']): string[] {
  const isValid = (value: number) =>
    kind === 'hard' ? value === 0 || value === 1 : value >= 0 && value <= 1;
  return Array.from(values).every(isValid) ? [] : [`"${name}" has entries that a ${kind} mask cannot have`];
}

function layerProblems(
  name: string,
  tensor: NamedTensor | undefined,
  { size, selected }: { readonly size: number; readonly selected: number },
): string[] {
  if (tensor === undefined) return [`"${name}" is not in the mask's file`];
  const found = Array.from(tensor.values).reduce((sum, value) => sum + value, 0);
  if (tensor.values.length !== size)
    return [`"${name}" has ${tensor.values.length} entries, run.json says ${size}`];
  return isClose(found, selected) ? [] : [`"${name}" selects ${found} weights, run.json says ${selected}`];
}

function isClose(first: number, second: number): boolean {
  return Math.abs(first - second) <= ROUNDING * Math.max(1, Math.abs(second));
}
