import {
  _FusedMatMul,
  AvgPool3DGrad,
  AvgPoolGrad,
  BatchMatMul,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  Conv3DBackpropFilterV2,
  Conv3DBackpropInputV2,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  FusedDepthwiseConv2D,
  getKernel,
  type KernelFunc,
  MaxPool3DGrad,
  MaxPoolGrad,
  registerKernel,
  Tile,
  UnsortedSegmentSum,
  unregisterKernel,
} from '@tensorflow/tfjs-core';
import { UnsupportedModelError } from '../../core/errors.ts';
import { conv2dBackpropInput } from './backprop-input.ts';
import { batchMatMul } from './batch-mat-mul.ts';
import { conv2dBackpropFilter } from './conv2d-backprop-filter.ts';
import { depthwiseBackpropFilter } from './depthwise-backprop-filter.ts';
import { depthwiseBackpropInput } from './depthwise-backprop-input.ts';
import { depthwiseConv2d } from './depthwise-conv2d.ts';
import { fusedDepthwiseConv2d } from './fused-depthwise-conv2d.ts';
import { fusedMatMul } from './fused-mat-mul.ts';
import { averagePoolGradient, maxPoolGradient } from './pool-gradients.ts';
import { tile } from './tile.ts';
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
  [AvgPoolGrad]: averagePoolGradient,
  [BatchMatMul]: batchMatMul,
  [_FusedMatMul]: fusedMatMul,
  [Conv2DBackpropFilter]: conv2dBackpropFilter,
  [Conv2DBackpropInput]: conv2dBackpropInput,
  [DepthwiseConv2dNative]: depthwiseConv2d,
  [DepthwiseConv2dNativeBackpropFilter]: depthwiseBackpropFilter,
  [DepthwiseConv2dNativeBackpropInput]: depthwiseBackpropInput,
  [FusedDepthwiseConv2D]: fusedDepthwiseConv2d,
  [MaxPoolGrad]: maxPoolGradient,
  [Tile]: tile,
  [UnsortedSegmentSum]: unsortedSegmentSum,
  ...Object.fromEntries(REFUSED_KERNELS.map((kernel) => [kernel, refusal(kernel)])),
};

/**
 * Completes tfjs's backend `wasm` so that it trains convolutional networks. To be called once
 * `@tensorflow/tfjs-backend-wasm` is loaded, before or after the backend starts; a second call does nothing.
 */
export function registerTrainingKernels(): void {
  for (const [kernelName, kernel] of Object.entries(TRAINING_KERNELS)) {
    const kernelFunc = kernel as KernelFunc;
    const registered = getKernel(kernelName, 'wasm');
    if (registered?.kernelFunc === kernelFunc) continue;
    if (registered !== undefined) unregisterKernel(kernelName, 'wasm');
    registerKernel({ kernelName, backendName: 'wasm', kernelFunc });
  }
}

function refusal(kernel: string): () => never {
  return () => {
    throw new UnsupportedModelError(
      `kernel ${kernel} of tfjs-backend-wasm 4.22 returns wrong gradients; use backend tensorflow`,
      { kernel },
    );
  };
}
