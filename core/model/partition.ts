import type { LayersModel, layers, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UnsupportedModelError } from '../errors.ts';

type Layer = layers.Layer;

/** Layers that may stand between the head and the output: they do not change which class wins. */
const PASS_THROUGH = new Set(['Activation', 'Flatten', 'Reshape', 'Softmax']);

export interface Partition {
  readonly head: Layer;
  /** Two are the negative and the positive class of a softmax. */
  readonly units: 1 | 2;
  /** Symbolic tensor that the head reads: the features. */
  readonly features: SymbolicTensor;
  /** Layers on the way from the input to the features. */
  readonly body: readonly Layer[];
  readonly afterHead: readonly Layer[];
  readonly output: 'logit' | 'score';
}

/** What the outputs of a head of one or of two units are, by the activations after it. */
const OUTPUTS: Readonly<Record<1 | 2, Readonly<Record<string, 'logit' | 'score'>>>> = {
  1: { '': 'logit', sigmoid: 'score' },
  2: { '': 'logit', softmax: 'score' },
};

/**
 * Splits a model at its last dense layer.
 *
 * The head is found by walking back from the output; `headName` only confirms or corrects the walk.
 *
 * @throws UnsupportedModelError when the output is not that of a dense layer for two classes
 */
export function partitionModel(model: LayersModel, headName?: string): Partition {
  const end = soleTensor(model.outputs, 'outputs');
  soleTensor(model.inputs, 'inputs');
  const { head, afterHead } = findHead(end, headName);
  const units = unitsOf(head);
  const activations = [head, ...afterHead].map(activationOf).filter((name) => name !== 'linear');
  const output = OUTPUTS[units][activations.join(' then ')];
  if (output === undefined) {
    const expected = units === 1 ? 'no activation or one sigmoid' : 'no activation or one softmax';
    throw new UnsupportedModelError(
      `head "${head.name}": expected ${expected} after it, received ${activations.join(' then ')}`,
      { head: head.name, received: activations },
    );
  }
  const features = head.input as SymbolicTensor;
  if (features.shape.length !== 2) {
    throw new UnsupportedModelError(
      `head "${head.name}": expected features of shape [batch, width], received [${features.shape.join(', ')}]`,
      { head: head.name, received: features.shape },
    );
  }
  const body = model.layers.filter((layer) => layer !== head && !afterHead.includes(layer));
  return { head, units, features, body, afterHead, output };
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

function unitsOf(head: Layer): 1 | 2 {
  if (head.inboundNodes.length !== 1) {
    throw new UnsupportedModelError(
      `head "${head.name}": expected to be used once, received ${head.inboundNodes.length} uses`,
      { head: head.name, expected: 1, received: head.inboundNodes.length },
    );
  }
  const units = (head.getConfig() as { units?: number }).units;
  if (units === 1 || units === 2) return units;
  throw new UnsupportedModelError(
    `head "${head.name}": expected 1 unit, or 2 of a softmax (a binary classifier), received ${units}`,
    { head: head.name, expected: [1, 2], received: units },
  );
}

function activationOf(layer: Layer): string {
  if (layer.getClassName() === 'Softmax') return 'softmax';
  return ((layer.getConfig() as { activation?: string }).activation ?? 'linear').toLowerCase();
}
