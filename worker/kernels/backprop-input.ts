import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  backend_util,
  Conv2D,
  type Conv2DBackpropInputAttrs,
  type Conv2DBackpropInputInputs,
  Slice,
  type TensorInfo,
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
import { columnAxis, type InputPhase, inputPhases, rowAxis } from './window-axis.ts';

interface Phases {
  readonly rows: InputPhase;
  readonly columns: InputPhase;
}

interface Backward {
  /** [N, O, P, K] */
  readonly dy: TensorInfo;
  /** Forward kernel that takes dy back. */
  readonly kernel: string;
  readonly info: backend_util.Conv2DInfo;
  /** Channels of the result. */
  readonly channels: number;
  /** The reversed taps of a phase, in the layout of `kernel`; released here. */
  readonly reversedFilter: (phases: Phases) => TensorInfo;
}

/**
 * Gradient of a 2-D convolution by its input: for each phase of the stride the forward convolution of dy
 * with the reversed filter, in and out channels swapped; the phases interleave to dx.
 *
 * @param inputs  dy [N, O, P, K], filter [R, S, C, K]
 * @returns [N, H, W, C]
 * @throws UnsupportedModelError when the data format is not NHWC
 */
export function conv2dBackpropInput({
  inputs: { dy, filter },
  attrs,
  backend,
}: KernelCall<Conv2DBackpropInputInputs, Conv2DBackpropInputAttrs>): TensorInfo {
  const { inputShape, strides, pad, dimRoundingMode } = attrs;
  assertChannelsLast('Conv2DBackpropInput', attrs.dataFormat);
  const shape = filter.shape as Shape4D;
  const info = backend_util.computeConv2DInfo(inputShape, shape, strides, 1, pad, dimRoundingMode);
  return backward(backend, {
    dy,
    kernel: Conv2D,
    info,
    channels: info.inChannels,
    reversedFilter: (phases) => reversedConvolution(backend, { filter, phases, info }),
  });
}

function backward(backend: BackendWasm, call: Backward): TensorInfo {
  const { info, channels } = call;
  const rowPhases = inputPhases(rowAxis(info));
  const columnPhases = inputPhases(columnAxis(info));
  const everyInput = info.strideHeight === 1 && info.strideWidth === 1;
  if (everyInput && rowPhases.length > 0 && columnPhases.length > 0) {
    return phaseGradient(backend, call, { rows: rowPhases[0]!, columns: columnPhases[0]! });
  }
  const dx = zeros(backend, [info.batchSize, info.inHeight, info.inWidth, channels]);
  for (const rows of rowPhases) {
    for (const columns of columnPhases) {
      const part = phaseGradient(backend, call, { rows, columns });
      interleave({
        source: floats(backend, part),
        target: floats(backend, dx),
        call,
        phases: { rows, columns },
      });
      release(backend, part);
    }
  }
  return dx;
}

/** [N, rows.count, columns.count, channels]; the caller releases it. */
function phaseGradient(backend: BackendWasm, call: Backward, { rows, columns }: Phases): TensorInfo {
  const filter = call.reversedFilter({ rows, columns });
  const used = crop(backend, call.dy, { rows, columns });
  const gradient = runKernel(backend, {
    kernel: call.kernel,
    inputs: { x: used, filter },
    attrs: {
      strides: [1, 1],
      dilations: [call.info.dilationHeight, call.info.dilationWidth],
      pad: [
        [0, 0],
        [rows.padBefore, rows.padAfter],
        [columns.padBefore, columns.padAfter],
        [0, 0],
      ],
      dataFormat: 'NHWC',
    },
  });
  release(backend, filter);
  if (used !== call.dy) release(backend, used);
  return gradient;
}

/** dy itself when all of it is used, else a copy of the part that is. */
function crop(backend: BackendWasm, dy: TensorInfo, { rows, columns }: Phases): TensorInfo {
  const [images, height, width, channels] = dy.shape as Shape4D;
  const size = [images, rows.dy.end - rows.dy.start, columns.dy.end - columns.dy.start, channels];
  if (size[1] === height && size[2] === width) return dy;
  const begin = [0, rows.dy.start, columns.dy.start, 0];
  return runKernel(backend, { kernel: Slice, inputs: { x: dy }, attrs: { begin, size } });
}

/** Values of one phase [N, rows.count, columns.count, channels] → their places in dx. */
function interleave({
  source,
  target,
  call: { info, channels },
  phases: { rows, columns },
}: {
  source: Float32Array;
  target: Float32Array;
  call: Backward;
  phases: Phases;
}): void {
  const step = info.strideWidth * channels;
  let from = 0;
  for (let line = 0; line < info.batchSize * rows.count; line += 1) {
    const image = Math.floor(line / rows.count);
    const row = rows.firstInput + (line % rows.count) * info.strideHeight;
    let to = ((image * info.inHeight + row) * info.inWidth + columns.firstInput) * channels;
    for (let pixel = 0; pixel < columns.count; pixel += 1) {
      for (let channel = 0; channel < channels; channel += 1) target[to + channel] = source[from + channel]!;
      from += channels;
      to += step;
    }
  }
}

interface FilterOfPhase {
  readonly filter: TensorInfo;
  readonly phases: Phases;
  readonly info: backend_util.Conv2DInfo;
}

/** [R, S, C, K] → [rows.taps, columns.taps, K, C], taps reversed. */
function reversedConvolution(backend: BackendWasm, { filter, phases, info }: FilterOfPhase): TensorInfo {
  const { inChannels, outChannels } = info;
  const { rows, columns } = phases;
  const reversed = backend.makeOutput([rows.taps, columns.taps, outChannels, inChannels], 'float32');
  const source = floats(backend, filter);
  const target = floats(backend, reversed);
  reversedTaps(phases, info).forEach((tap, place) => {
    const from = tap * inChannels * outChannels;
    const to = place * inChannels * outChannels;
    for (let input = 0; input < inChannels; input += 1) {
      for (let output = 0; output < outChannels; output += 1) {
        target[to + output * inChannels + input] = source[from + input * outChannels + output]!;
      }
    }
  });
  return reversed;
}

/** Indices of the taps of a phase in the flat filter, last tap first. */
function reversedTaps({ rows, columns }: Phases, info: backend_util.Conv2DInfo): number[] {
  const last = (phase: InputPhase, stride: number) => phase.remainder + (phase.taps - 1) * stride;
  const taps: number[] = [];
  for (let row = last(rows, info.strideHeight); row >= 0; row -= info.strideHeight) {
    for (let column = last(columns, info.strideWidth); column >= 0; column -= info.strideWidth) {
      taps.push(row * info.filterWidth + column);
    }
  }
  return taps;
}
