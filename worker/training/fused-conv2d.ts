import * as tf from '@tensorflow/tfjs-core';

const { FusedConv2D, Conv2D, Relu } = tf;

type Convolve = (call: Parameters<typeof tf.fused.conv2d>[0]) => tf.Tensor;
type Call = Parameters<Convolve>[0];
type Gradients = Record<string, () => tf.Tensor>;

/** The object from which tfjs-layers takes it at each call. */
const fused = tf.fused as { conv2d: Convolve };
const stock = fused.conv2d;

/**
 * Lets convolution layers train by the kernel that they predict by, on backend wasm. tfjs's own `fused.conv2d`, while
 * a tape is recorded, computes the gradients by image and by filter whether or not anybody asks for them, and takes
 * convolution, bias and relu apart, with each result kept for the backward pass. Does nothing at a second call.
 */
export function replaceFusedConv2d(): void {
  if (fused.conv2d === convolve) return;
  fused.conv2d = convolve;
  tf.registerGradient({
    kernelName: FusedConv2D,
    inputsToSave: ['x', 'filter'],
    outputsToSave: [true],
    gradFunc: (dy, saved, attrs) => gradientsOf(dy as tf.Tensor4D, saved, attrs),
  });
}

function convolve(call: Call): tf.Tensor {
  if (!isCovered(call)) return stock(call);
  const { x, filter, strides, pad, bias, activation } = call as Call & { x: tf.Tensor; filter: tf.Tensor };
  const inputs = { x, filter, ...(bias && { bias: bias as tf.Tensor }) };
  const how = { strides, pad, dataFormat: 'NHWC', dilations: [1, 1], activation: activation ?? 'linear' };
  return tf.engine().runKernel(FusedConv2D, inputs, how);
}

/** What layers of images ask for while a tape is recorded. Anything else is left to tfjs, which may refuse it. */
function isCovered({ x, filter, dataFormat = 'NHWC', dilations = 1, bias, activation }: Call): boolean {
  return (
    tf.engine().state.gradientDepth > 0 &&
    tf.getBackend() === 'wasm' &&
    [x, filter].every(
      (input) => input instanceof tf.Tensor && input.rank === 4 && input.dtype === 'float32',
    ) &&
    (x as tf.Tensor).shape[3] === (filter as tf.Tensor).shape[2] &&
    (bias == null || (bias instanceof tf.Tensor && bias.rank === 1)) &&
    ['linear', 'relu'].includes(activation ?? 'linear') &&
    [dilations].flat().every((dilation) => dilation === 1) &&
    dataFormat === 'NHWC'
  );
}

/** Those of the convolution alone, after that of the activation, each only when it is asked for. */
function gradientsOf(dy: tf.Tensor4D, saved: tf.Tensor[], attrs: tf.NamedAttrMap): Gradients {
  const [x, filter, y] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
  const ofRelu = tf.getGradient(Relu).gradFunc;
  const ofConv2D = tf.getGradient(Conv2D).gradFunc;
  const ofSum = attrs.activation === 'relu' ? ofRelu(dy, [y], {}).x!() : dy; // y > 0 where its input is
  return {
    ...ofConv2D(ofSum, [x, filter], attrs),
    bias: () => tf.sum(ofSum, [0, 1, 2]), // [B, H, W, C] → [C]
  };
}
