import { getBackend, relu6 } from '@tensorflow/tfjs-core';
import { isRectified } from './batch-norm-layer.ts';
import { type GraphLayer, type ReluLayer, replaceCall } from './layer-graph.ts';

/**
 * Lets relu layers of tfjs-layers pass on what batch norm has put through a relu already; and lets those with a largest
 * value of 6, which are those of MobileNets, run one kernel while backend wasm runs. Their own `call` composes relu and
 * a clip, whose gradients multiply to that of relu6.
 */
export function replaceReluCall(): void {
  replaceCall<ReluLayer>(
    'ReLU',
    (stock) =>
      function call(inputs, options) {
        const x = Array.isArray(inputs) ? inputs[0]! : inputs;
        if (isRectified(x)) return x;
        return this.maxValue === 6 && getBackend() === 'wasm' ? relu6(x) : stock.call(this, inputs, options);
      },
  );
  replaceCall<GraphLayer>(
    'Activation',
    (stock) =>
      function call(inputs, options) {
        const x = Array.isArray(inputs) ? inputs[0]! : inputs;
        return isRectified(x) ? x : stock.call(this, inputs, options);
      },
  );
}
