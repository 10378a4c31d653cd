import type { LayersModel, layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UnsupportedModelError } from '../errors.ts';
import type { LoadOptions } from './classifier.ts';
import type { Units } from './units.ts';
import { readUnits } from './units.ts';

type Layer = layers.Layer;

/** Layers that may stand between the head and the output: they do not change which class wins. */
const PASS_THROUGH = new Set(['Activation', 'Flatten', 'Reshape', 'Softmax']);

export interface Partition {
  readonly head: Layer;
  readonly units: Units;
  /** Symbolic tensor that the head reads: the features. */
  readonly features: SymbolicTensor;
  /** Layers on the way from the input to the features. */
  readonly body: readonly Layer[];
  readonly afterHead: readonly Layer[];
}

/**
 * Splits a model at its last dense layer.
 *
 * The head is found by walking back from the output; its name in `options` only confirms the walk.
 *
 * @throws UnsupportedModelError when the output is not that of a dense layer for classes
 * @throws InvalidInputError when the positive class is not one of the head's
 */
export function partitionModel(model: LayersModel, options: LoadOptions = {}): Partition {
  const end = soleTensor(model.outputs, 'outputs');
  soleTensor(model.inputs, 'inputs');
  const { head, afterHead } = findHead(end, options.head);
  assertUsedOnce(head);
  const units = readUnits({
    head: head.name,
    count: (head.getConfig() as { units: number }).units,
    activations: [head, ...afterHead].map(activationOf).filter((name) => name !== 'linear'),
    positiveClass: options.positiveClass,
    classes: options.classes,
  });
  if (units.isShared) assertSharedByAll(head, afterHead);
  const features = head.input as SymbolicTensor;
  if (features.shape.length !== 2) {
    throw new UnsupportedModelError(
      `head "${head.name}": expected features of shape [batch, width], received [${features.shape.join(', ')}]`,
      { head: head.name, received: features.shape },
    );
  }
  const body = model.layers.filter((layer) => layer !== head && !afterHead.includes(layer));
  return { head, units, features, body, afterHead };
}

function soleTensor(tensors: readonly SymbolicTensor[], what: string): SymbolicTensor {
  if (tensors.length === 1) return tensors[0]!;
  throw new UnsupportedModelError(`model ${what}: expected 1, received ${tensors.length}`, {
    where: what,
    expected: 1,
    received: tensors.length,
  });
}

function findHead(output: SymbolicTensor, headName: string | undefined) {
  const afterHead: Layer[] = [];
  let layer = output.sourceLayer;
  while (layer.getClassName() !== 'Dense') {
    const inputs = [layer.input].flat();
    const isOnPath = PASS_THROUGH.has(layer.getClassName()) && layer.name !== headName;
    if (!isOnPath || inputs.length !== 1) throw noHead(layer, headName);
    afterHead.unshift(layer);
    layer = inputs[0]!.sourceLayer;
  }
  if (headName !== undefined && headName !== layer.name) throw noHead(layer, headName);
  return { head: layer, afterHead };
}

function noHead(layer: Layer, headName: string | undefined): UnsupportedModelError {
  const received = `layer "${layer.name}" (${layer.getClassName()})`;
  return new UnsupportedModelError(
    headName === undefined
      ? `no head found: expected a Dense layer at the output, received ${received}`
      : `head "${headName}": expected the last Dense layer before the output, which is where the walk back met ${received}`,
    { head: headName ?? null, received: layer.name },
  );
}

function assertUsedOnce({ name, inboundNodes }: Layer): void {
  if (inboundNodes.length === 1) return;
  throw new UnsupportedModelError(
    `head "${name}": expected to be used once, received ${inboundNodes.length} uses`,
    { head: name, expected: 1, received: inboundNodes.length },
  );
}

/** A softmax has to be one over all units: not over pairs of them, nor over samples. */
function assertSharedByAll(head: Layer, afterHead: readonly Layer[]): void {
  const end = afterHead.findIndex((layer) => activationOf(layer) !== 'linear');
  const { shape } = head.output as SymbolicTensor;
  for (const layer of end < 0 ? afterHead : afterHead.slice(0, end + 1)) {
    const { axis = -1 } = layer.getConfig() as { axis?: number };
    if (layer.outputShape.join() === shape.join() && (axis === -1 || axis === shape.length - 1)) continue;
    throw new UnsupportedModelError(
      `head "${head.name}": expected one softmax over all of its units, received "${layer.name}" (${layer.getClassName()}) before or in it`,
      { head: head.name, layer: layer.name },
    );
  }
}

function activationOf(layer: Layer): string {
  if (layer.getClassName() === 'Softmax') return 'softmax';
  return (layer.getConfig() as { activation?: string }).activation ?? 'linear';
}
