import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { addressOf, runNative } from './native.ts';

/** Columns of a panel; as in assembly/product-tile.ts. */
const PANEL_COLUMNS = 8;

/** Taps of a filter: of each axis those at `first`, `first + step`, …; the filter has `width` columns of them. */
export interface Taps {
  readonly rows: TapsOfAxis;
  readonly columns: TapsOfAxis;
  readonly width: number;
}

interface TapsOfAxis {
  readonly count: number;
  readonly first: number;
  readonly step: number;
}

interface Matrices {
  /** [stack, depth, columns], or the last two exchanged. */
  readonly matrices: TensorInfo;
  readonly stack: number;
  readonly depth: number;
  readonly columns: number;
  readonly isTransposed: boolean;
  /** What sums begin with, [columns]; 0 when absent. */
  readonly start?: TensorInfo | undefined;
  /** The matrices are taps of a filter, and become one matrix under each other; `stack` is 1. */
  readonly taps?: Taps;
}

const ONE = { count: 1, first: 0, step: 1 };
const ONE_TAP: Taps = { rows: ONE, columns: ONE, width: 1 };
/** Values that are worth a part of their own. */
const VALUES_OF_PART = 2 ** 16;
const MOST_PARTS = 16;

export const panelsOf = (columns: number): number => Math.ceil(columns / PANEL_COLUMNS);

/** The right factor of a product as kernels read it; the caller releases it. */
export function packPanels(
  backend: BackendWasm,
  { matrices, stack, depth, columns, isTransposed, start, taps = ONE_TAP }: Matrices,
): TensorInfo {
  const panels = stack * panelsOf(columns);
  const size = PANEL_COLUMNS * (1 + depth * taps.rows.count * taps.columns.count);
  const packed = backend.makeOutput([panels, size], 'float32');
  const parts = Math.min(MOST_PARTS, panels, Math.max(1, Math.floor((panels * size) / VALUES_OF_PART)));
  runNative(backend, 'packPanels', {
    args: [
      addressOf(backend, matrices),
      addressOf(backend, packed),
      start === undefined ? 0 : addressOf(backend, start),
      ...[depth, columns, Number(isTransposed), parts, stack],
      ...[taps.rows.count, taps.rows.first, taps.rows.step],
      ...[taps.columns.count, taps.columns.first, taps.columns.step, taps.width],
    ],
    parts,
  });
  return packed;
}
