import { serialization, type Tensor } from '@tensorflow/tfjs-core';

/** What tfjs-layers' layers are, as far as it is needed here. */
export interface GraphLayer {
  readonly outboundNodes: readonly { readonly outboundLayer: GraphLayer }[];
  getClassName(): string;
}

export interface ReluLayer extends GraphLayer {
  readonly maxValue?: number | null;
}

interface ActivationLayer extends GraphLayer {
  readonly activation: { getClassName(): string };
}

type LayerCall<Layer> = (
  this: Layer,
  inputs: Tensor | Tensor[],
  options: { readonly training?: boolean },
) => Tensor | Tensor[];

/**
 * Replaces `call` of all layers of a class. The class is found where tfjs-layers has registered it, so nothing is
 * loaded that is not loaded yet.
 *
 * @param make  from the call that there was; asked once, however often this is called
 */
export function replaceCall<Layer>(
  className: string,
  make: (stock: LayerCall<Layer>) => LayerCall<Layer>,
): void {
  const { classNameMap } = serialization.SerializationMap.getMap();
  const prototype = classNameMap[className]?.[0].prototype as { call: LayerCall<Layer> } | undefined;
  if (prototype === undefined || replaced.has(prototype.call)) return;
  prototype.call = make(prototype.call);
  replaced.add(prototype.call);
}

const replaced = new WeakSet<object>();

/** Largest value of the relu that a layer is, one that a pass before it can do as well; null for anything else. */
function reluBound(layer: GraphLayer): number | null {
  switch (layer.getClassName()) {
    case 'ReLU': {
      const { maxValue } = layer as ReluLayer;
      return maxValue == null ? Number.POSITIVE_INFINITY : maxValue === 6 ? 6 : null;
    }
    case 'Activation':
      return (layer as ActivationLayer).activation.getClassName() === 'relu'
        ? Number.POSITIVE_INFINITY
        : null;
    default:
      return null;
  }
}

/** That of the only layer which reads what this one returns. */
export function boundAfter({ outboundNodes }: GraphLayer): number | null {
  return outboundNodes.length === 1 ? reluBound(outboundNodes[0]!.outboundLayer) : null;
}
