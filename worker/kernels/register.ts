import {
  _FusedMatMul,
  Add,
  AddN,
  AvgPool,
  AvgPool3DGrad,
  AvgPoolGrad,
  BatchMatMul,
  Cast,
  ClipByValue,
  Concat,
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  Conv3DBackpropFilterV2,
  Conv3DBackpropInputV2,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  FusedBatchNorm,
  FusedConv2D,
  FusedDepthwiseConv2D,
  getKernel,
  Identity,
  type KernelFunc,
  LeakyRelu,
  Max,
  Maximum,
  MaxPool,
  MaxPool3DGrad,
  MaxPoolGrad,
  Mean,
  Minimum,
  Multiply,
  Relu,
  Relu6,
  Reverse,
  registerGradient,
  registerKernel,
  Slice,
  SplitV,
  Sum,
  Tile,
  Transpose,
  UnsortedSegmentSum,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { UnsupportedModelError } from '../../core/errors.ts';
import { batchMatMul } from './batch-mat-mul.ts';
import {
  BATCH_NORM_GRADIENT,
  BATCH_NORM_RELU,
  batchNormGradient,
  batchNormRelu,
  batchNormReluGradientConfig,
  fusedBatchNorm,
  fusedBatchNormGradient,
} from './batch-norm.ts';
import { replaceBatchNormCall } from './batch-norm-layer.ts';
import {
  BATCH_NORM_TRAINING,
  BATCH_NORM_TRAINING_GRADIENT,
  batchNormTraining,
  batchNormTrainingGradient,
  batchNormTrainingGradientConfig,
} from './batch-norm-training.ts';
import { conv2d } from './conv2d.ts';
import { conv2dBackpropFilter } from './conv2d-backprop-filter.ts';
import { conv2dBackpropInput } from './conv2d-backprop-input.ts';
import { depthwiseBackpropFilter } from './depthwise-backprop-filter.ts';
import { depthwiseBackpropInput } from './depthwise-backprop-input.ts';
import { depthwiseConv2d } from './depthwise-conv2d.ts';
import { add, addN, multiply } from './elementwise.ts';
import { fusedConv2d } from './fused-conv2d.ts';
import { fusedDepthwiseConv2d } from './fused-depthwise-conv2d.ts';
import { fusedMatMul } from './fused-mat-mul.ts';
import { replaceGradient, type WasmGradient } from './gradients.ts';
import { cast, identity } from './identity.ts';
import { LEAKY_RELU_GRADIENT, leakyRelu, leakyReluGradient, leakyReluGradientKernel } from './leaky-relu.ts';
import { ADAM_UPDATE, adamUpdateKernel, MOMENTUM_UPDATE, momentumUpdateKernel } from './masked-update.ts';
import { maximum, maximumGradient, minimum, minimumGradient } from './minimum.ts';
import { concat, reverse, slice, splitV } from './moves.ts';
import { averagePoolGradient, maxPoolGradient } from './pool-gradients.ts';
import { averagePool, maxPool } from './pools.ts';
import { mean, meanGradient, SPREAD_ROWS, spreadRows, sum, sumGradient } from './reductions.ts';
import { MAX_GRADIENT, max, maxGradient, maxGradientKernel } from './reductions-max.ts';
import {
  CLIP_GRADIENT,
  clipByValue,
  clipByValueGradient,
  clipGradient,
  relu,
  relu6,
  relu6Gradient,
  reluGradient,
} from './relu.ts';
import { replaceReluCall } from './relu-layer.ts';
import { stockName } from './stock.ts';
import { tile } from './tile.ts';
import { transpose } from './transpose.ts';
import { unsortedSegmentSum } from './unsorted-segment-sum.ts';

/** Stock kernels of tfjs-backend-wasm 4.22 that return wrong gradients and have no replacement here. */
export const REFUSED_KERNELS = [
  AvgPool3DGrad,
  Conv3DBackpropFilterV2,
  Conv3DBackpropInputV2,
  MaxPool3DGrad,
] as const;

/** Kernels that backend `wasm` lacks, or has too slow or wrong. */
const TRAINING_KERNELS: Readonly<Record<string, unknown>> = {
  [ADAM_UPDATE]: adamUpdateKernel,
  [Add]: add,
  [AddN]: addN,
  [AvgPool]: averagePool,
  [AvgPoolGrad]: averagePoolGradient,
  [BATCH_NORM_GRADIENT]: fusedBatchNormGradient,
  [BATCH_NORM_RELU]: batchNormRelu,
  [BATCH_NORM_TRAINING]: batchNormTraining,
  [BATCH_NORM_TRAINING_GRADIENT]: batchNormTrainingGradient,
  [BatchMatMul]: batchMatMul,
  [Cast]: cast,
  [Identity]: identity,
  [FusedConv2D]: fusedConv2d,
  [Conv2D]: conv2d,
  [_FusedMatMul]: fusedMatMul,
  [CLIP_GRADIENT]: clipGradient,
  [ClipByValue]: clipByValue,
  [Concat]: concat,
  [Conv2DBackpropFilter]: conv2dBackpropFilter,
  [Conv2DBackpropInput]: conv2dBackpropInput,
  [DepthwiseConv2dNative]: depthwiseConv2d,
  [DepthwiseConv2dNativeBackpropFilter]: depthwiseBackpropFilter,
  [DepthwiseConv2dNativeBackpropInput]: depthwiseBackpropInput,
  [FusedBatchNorm]: fusedBatchNorm,
  [FusedDepthwiseConv2D]: fusedDepthwiseConv2d,
  [LEAKY_RELU_GRADIENT]: leakyReluGradientKernel,
  [LeakyRelu]: leakyRelu,
  [MAX_GRADIENT]: maxGradientKernel,
  [Max]: max,
  [Maximum]: maximum,
  [MaxPool]: maxPool,
  [MaxPoolGrad]: maxPoolGradient,
  [Mean]: mean,
  [Minimum]: minimum,
  [MOMENTUM_UPDATE]: momentumUpdateKernel,
  [Multiply]: multiply,
  [Relu]: relu,
  [Relu6]: relu6,
  [Reverse]: reverse,
  [SPREAD_ROWS]: spreadRows,
  [Slice]: slice,
  [SplitV]: splitV,
  [Sum]: sum,
  [Tile]: tile,
  [Transpose]: transpose,
  [UnsortedSegmentSum]: unsortedSegmentSum,
  ...Object.fromEntries(REFUSED_KERNELS.map((kernel) => [kernel, refusal(kernel)])),
};

/** Gradients that tfjs composes of many passes, each one kernel here. */
const TRAINING_GRADIENTS: Readonly<Record<string, WasmGradient>> = {
  [ClipByValue]: clipByValueGradient,
  [FusedBatchNorm]: batchNormGradient,
  [LeakyRelu]: leakyReluGradient,
  [Max]: maxGradient,
  [Maximum]: maximumGradient,
  [Mean]: meanGradient,
  [Minimum]: minimumGradient,
  [Relu]: reluGradient,
  [Relu6]: relu6Gradient,
  [Sum]: sumGradient,
};

/**
 * Completes tfjs's backend `wasm` so that it trains convolutional networks. To be called once
 * `@tensorflow/tfjs-backend-wasm` and tfjs-layers are loaded (the second brings the gradients that some of ours
 * replace), before or after the backend starts; a second call does nothing.
 */
export function registerTrainingKernels(): void {
  for (const [kernelName, kernel] of Object.entries(TRAINING_KERNELS)) {
    const kernelFunc = kernel as KernelFunc;
    const registered = getKernel(kernelName, 'wasm');
    if (registered?.kernelFunc === kernelFunc) continue;
    if (registered !== undefined) {
      unregisterKernel(kernelName, 'wasm');
      registerKernel({ ...registered, kernelName: stockName(kernelName) });
    }
    registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  }
  for (const [kernelName, gradient] of Object.entries(TRAINING_GRADIENTS))
    replaceGradient(kernelName, gradient);
  registerGradient(batchNormReluGradientConfig);
  registerGradient(batchNormTrainingGradientConfig);
  replaceBatchNormCall();
  replaceReluCall();
}

function refusal(kernel: string): () => never {
  return () => {
    throw new UnsupportedModelError(
      `kernel ${kernel} of tfjs-backend-wasm 4.22 returns wrong gradients; use backend tensorflow`,
      { kernel },
    );
  };
}
