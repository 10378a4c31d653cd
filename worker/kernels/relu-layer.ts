import { getBackend, relu6, serialization, type Tensor } from '@tensorflow/tfjs-core';

/** What tfjs-layers' ReLU is, as far as `call` needs it. */
interface ReluLayer {
  readonly maxValue?: number | null;
  call: LayerCall;
}

type LayerCall = (this: ReluLayer, inputs: Tensor | Tensor[], options: object) => Tensor | Tensor[];

const replaced = new WeakSet<LayerCall>();

/**
 * Lets every ReLU layer of tfjs-layers with a largest value of 6, which are those of MobileNets, run one kernel while
 * backend wasm runs. Its own `call` composes relu and a clip, whose gradients multiply to that of relu6.
 *
 * The class is found where tfjs-layers has registered it, so nothing is loaded that is not loaded yet.
 */
export function replaceReluCall(): void {
  const { classNameMap } = serialization.SerializationMap.getMap();
  const layer = classNameMap.ReLU?.[0].prototype as ReluLayer | undefined;
  if (layer === undefined || replaced.has(layer.call)) return;
  const stock = layer.call;
  layer.call = function call(inputs, options) {
    if (this.maxValue !== 6 || getBackend() !== 'wasm') return stock.call(this, inputs, options);
    return relu6(Array.isArray(inputs) ? inputs[0]! : inputs);
  };
  replaced.add(layer.call);
}
