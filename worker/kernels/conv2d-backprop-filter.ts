import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  _FusedMatMul,
  backend_util,
  type Conv2DBackpropFilterAttrs,
  type Conv2DBackpropFilterInputs,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import {
  assertChannelsLast,
  floats,
  type KernelCall,
  release,
  runKernel,
  type Shape4D,
  zeros,
} from './heap.ts';
import { columnAxis, outputsOnInput, rowAxis, type WindowAxis } from './window-axis.ts';

/** Patches of one chunk of images stay below this, so that they are multiplied while still in cache. */
const CHUNK_FLOATS = 2 ** 20;

/**
 * Both images of one chunk live on one grid of `rows.grid × columns.grid` cells per image, the outputs and
 * as many cells more as a tap can shift. Cell g of the phase r of x holds input g·stride + r − padBefore, so
 * tap t of output o stands at cell o + shift(t) of phase t·dilation mod stride.
 */
interface Plan {
  readonly info: backend_util.Conv2DInfo;
  readonly rows: GridAxis;
  readonly columns: GridAxis;
}

interface GridAxis extends WindowAxis {
  readonly grid: number;
}

interface Chunk {
  readonly plan: Plan;
  readonly firstImage: number;
  readonly images: number;
  /** Cells of the chunk: images · rows.grid · columns.grid. */
  readonly cells: number;
}

interface Phase {
  readonly row: number;
  readonly column: number;
}

/**
 * Gradient of a 2-D convolution by its filter.
 *
 *   dw[r, s, c, k] = Σ_{n, o, p} x[n, o·stride + r − pad, p·stride + s − pad, c] · dy[n, o, p, k]
 *
 * as one matrix product per chunk of images, patches [R·S·C, cells] × dy [cells, K]. With channels outermost
 * and dy padded by zeros to the grid of x, the patch row of a tap is the plane of x moved by a constant, so
 * the patches are made by one block copy per tap. What a row reads beyond its own image meets a zero of dy;
 * hence an infinity or NaN in x may reach more weights than it does by the formula.
 *
 * @param inputs  x [N, H, W, C], dy [N, O, P, K]
 * @returns [R, S, C, K]
 * @throws UnsupportedModelError when the data format is not NHWC
 */
export function conv2dBackpropFilter({
  inputs: { x, dy },
  attrs,
  backend,
}: KernelCall<Conv2DBackpropFilterInputs, Conv2DBackpropFilterAttrs>): TensorInfo {
  const { strides, pad, dimRoundingMode, filterShape } = attrs;
  assertChannelsLast('Conv2DBackpropFilter', attrs.dataFormat);
  const info = backend_util.computeConv2DInfo(
    x.shape as Shape4D,
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const plan: Plan = { info, rows: withGrid(rowAxis(info)), columns: withGrid(columnAxis(info)) };
  const cellsPerImage = plan.rows.grid * plan.columns.grid;
  const patchHeight = info.filterHeight * info.filterWidth * info.inChannels;
  const chunkSize = Math.max(1, Math.floor(CHUNK_FLOATS / (patchHeight * cellsPerImage)));
  const sum = new Float64Array(util.sizeFromShape(filterShape));
  for (let firstImage = 0; firstImage < info.batchSize; firstImage += chunkSize) {
    const images = Math.min(chunkSize, info.batchSize - firstImage);
    const chunk = { plan, firstImage, images, cells: images * cellsPerImage };
    const part = chunkProduct(backend, { x, dy, chunk });
    floats(backend, part).forEach((value, index) => {
      sum[index]! += value;
    });
    release(backend, part);
  }
  const dw = backend.makeOutput(filterShape, 'float32');
  floats(backend, dw).set(sum);
  return dw;
}

function withGrid(axis: WindowAxis): GridAxis {
  return { ...axis, grid: axis.outputSize + shift(axis, axis.taps - 1) };
}

function shift({ dilation, stride }: WindowAxis, tap: number): number {
  return Math.floor((tap * dilation) / stride);
}

/** [1, R·S·C, K], the chunk's share of the gradient; the caller releases it. */
function chunkProduct(
  backend: BackendWasm,
  { x, dy, chunk }: { x: TensorInfo; dy: TensorInfo; chunk: Chunk },
): TensorInfo {
  const { info } = chunk.plan;
  const patchHeight = info.filterHeight * info.filterWidth * info.inChannels;
  const grid = zeros(backend, [1, chunk.cells, info.outChannels]);
  copyToGrid({ source: floats(backend, dy), target: floats(backend, grid), chunk });
  const patches = backend.makeOutput([1, patchHeight, chunk.cells], 'float32');
  fillPatches({ source: floats(backend, x), target: floats(backend, patches), chunk });
  const product = runKernel(backend, {
    kernel: _FusedMatMul,
    inputs: { a: patches, b: grid },
    attrs: { transposeA: false, transposeB: false, activation: 'linear' },
  });
  release(backend, grid, patches);
  return product;
}

interface Copy {
  readonly source: Float32Array;
  readonly target: Float32Array;
  readonly chunk: Chunk;
}

/** dy [N, O, P, K] → [cells, K], zeros where the grid is larger than the output. */
function copyToGrid({ source, target, chunk: { plan, firstImage, images } }: Copy): void {
  const { rows, columns, info } = plan;
  const length = columns.outputSize * info.outChannels;
  for (let image = 0; image < images; image += 1) {
    for (let row = 0; row < rows.outputSize; row += 1) {
      const from = ((firstImage + image) * rows.outputSize + row) * length;
      const cell = (image * rows.grid + row) * columns.grid;
      target.set(source.subarray(from, from + length), cell * info.outChannels);
    }
  }
}

/** x [N, H, W, C] → patches [R, S, C, cells]. */
function fillPatches({ source, target, chunk }: Copy): void {
  const { rows, columns, info } = chunk.plan;
  const planeFloats = info.inChannels * chunk.cells;
  const furthest = shift(rows, rows.taps - 1) * columns.grid + shift(columns, columns.taps - 1);
  const planes = new Float32Array(planeFloats + furthest);
  for (const phase of phasesOf(rows, columns)) {
    fillPlanes({ source, target: planes.fill(0), chunk }, phase);
    for (const row of tapsOfPhase(rows, phase.row)) {
      for (const column of tapsOfPhase(columns, phase.column)) {
        const moved = shift(rows, row) * columns.grid + shift(columns, column);
        const tap = row * columns.taps + column;
        target.set(planes.subarray(moved, moved + planeFloats), tap * planeFloats);
      }
    }
  }
}

function phasesOf(rows: WindowAxis, columns: WindowAxis): Phase[] {
  const remainders = ({ stride }: WindowAxis) => Array.from({ length: stride }, (_, remainder) => remainder);
  return remainders(rows).flatMap((row) => remainders(columns).map((column) => ({ row, column })));
}

function tapsOfPhase({ taps, dilation, stride }: WindowAxis, remainder: number): number[] {
  return Array.from({ length: taps }, (_, tap) => tap).filter(
    (tap) => (tap * dilation) % stride === remainder,
  );
}

/** x [N, H, W, C] → planes [C, cells] of one phase; cells that lie on padding keep their zero. */
function fillPlanes(copy: Copy, phase: Phase): void {
  const { rows, columns, info } = copy.chunk.plan;
  const rowOffset = phase.row - rows.padBefore;
  const columnOffset = phase.column - columns.padBefore;
  const onRows = outputsOnInput(rows, rowOffset, rows.grid);
  const onColumns = outputsOnInput(columns, columnOffset, columns.grid);
  for (let image = 0; image < copy.chunk.images; image += 1) {
    for (let row = onRows.start; row < onRows.end; row += 1) {
      const inputRow = (copy.chunk.firstImage + image) * info.inHeight + row * rows.stride + rowOffset;
      const inputColumn = onColumns.start * columns.stride + columnOffset;
      scatterRow(copy, {
        from: (inputRow * info.inWidth + inputColumn) * info.inChannels,
        to: (image * rows.grid + row) * columns.grid + onColumns.start,
        length: onColumns.end - onColumns.start,
      });
    }
  }
}

/** One row of pixels [length, C] at distance `stride` → [C, length], planes `cells` apart. */
function scatterRow(
  { source, target, chunk }: Copy,
  { from, to, length }: { from: number; to: number; length: number },
): void {
  const { inChannels, strideWidth } = chunk.plan.info;
  const step = strideWidth * inChannels;
  for (let channel = 0; channel < inChannels; channel += 1) {
    const start = to + channel * chunk.cells;
    for (let cell = 0, at = from + channel; cell < length; cell += 1, at += step) {
      target[start + cell] = source[at]!;
    }
  }
}
