import {
  engine,
  type GradConfig,
  getBackend,
  getGradient,
  type NamedAttrMap,
  registerGradient,
  type Tensor,
} from '@tensorflow/tfjs-core';

type Gradient = GradConfig['gradFunc'];

/**
 * Gradient of one kernel on backend wasm.
 *
 * @param saved  what tfjs's own gradient saves
 * @returns null where tfjs's own gradient is to be used
 */
export type WasmGradient = (
  dy: Tensor,
  saved: readonly Tensor[],
  attrs: NamedAttrMap,
) => ReturnType<Gradient> | null;

const replaced = new Set<GradConfig>();

/**
 * Replaces the gradient of a kernel as long as backend wasm runs. On every other backend tfjs's own stays, and
 * so it does for a second derivative, of which our kernels have none.
 */
export function replaceGradient(kernelName: string, gradient: WasmGradient): void {
  const stock = getGradient(kernelName);
  if (replaced.has(stock)) return;
  const config: GradConfig = {
    ...stock,
    kernelName,
    gradFunc: (dy, saved, attrs) =>
      (isOurs() && gradient(dy as Tensor, saved, attrs)) || stock.gradFunc(dy, saved, attrs),
  };
  replaced.add(config);
  registerGradient(config);
}

/** While the tape records a gradient, to differentiate it again, it is to be made of what tfjs can differentiate. */
function isOurs(): boolean {
  const { gradientDepth, kernelDepth } = engine().state;
  return getBackend() === 'wasm' && (gradientDepth === 0 || kernelDepth > 0);
}
