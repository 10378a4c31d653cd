import { z } from 'zod';
import { parseWith } from '../../../data/parse.ts';
import { InvalidInputError, UnsupportedModelError } from '../../../errors.ts';

/** Largest networks in use have some thousand layers. */
const MAX_LAYERS = 5000;
const MAX_DEPTH = 16;

/** One output of one use of a layer. */
export interface TensorRef {
  readonly layer: string;
  readonly node: number;
}

/** What a layer or an operation is called with: a tensor, or a number beside one. */
export type Operand = TensorRef | number;

export interface KerasNode {
  readonly operands: readonly Operand[];
  /** Called with `training=False`: dropout and batch norm inside stay in inference mode. */
  readonly isInference: boolean;
}

export interface KerasLayer {
  /** Keras's name of the class. */
  readonly kind: string;
  /** A function such as `x * 2` between layers, which Keras counts as none. */
  readonly isOperation: boolean;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Its uses, in order. */
  readonly nodes: readonly KerasNode[];
  /** Set for a model inside the model. */
  readonly graph: KerasGraph | null;
}

export interface KerasGraph {
  readonly layers: readonly KerasLayer[];
  readonly inputs: readonly TensorRef[];
  readonly outputs: readonly TensorRef[];
}

const layerSchema = z.looseObject({
  class_name: z.string().max(200),
  module: z.string().nullish(),
  registered_name: z.string().nullish(),
  name: z.string().nullish(),
  config: z.record(z.string(), z.unknown()),
  inbound_nodes: z.array(z.unknown()).nullish(),
});

const modelSchema = z.looseObject({
  class_name: z.string().max(200),
  config: z.union([z.array(layerSchema), z.looseObject({ layers: z.array(layerSchema) })]),
});

const functionalSchema = z.looseObject({ input_layers: z.unknown(), output_layers: z.unknown() });

type LayerJson = z.infer<typeof layerSchema>;

const isModel = (kind: string) => kind === 'Functional' || kind === 'Model' || kind === 'Sequential';

/**
 * Reads the configuration of Keras 3, and of Keras 2 where it differs.
 *
 * @param where  file name, to begin messages with
 * @throws InvalidInputError when it is none, or too large
 * @throws UnsupportedModelError when the model is a class of its author's
 */
export function parseKerasConfig(value: unknown, where: string): KerasGraph {
  return parseModel(value, { where, depth: 0, count: { layers: 0 } });
}

interface Place {
  readonly where: string;
  readonly depth: number;
  /** Layers so far, those of nested models included. */
  readonly count: { layers: number };
}

function parseModel(value: unknown, place: Place): KerasGraph {
  const { class_name: kind, config } = parseWith(modelSchema, value, `${place.where} configuration`);
  if (!isModel(kind)) {
    throw new UnsupportedModelError(
      `model class "${kind}": expected a Functional or Sequential model, whose layers its file describes; a subclass of Model is Python code`,
      { kind },
    );
  }
  const layers = Array.isArray(config) ? config : config.layers;
  place.count.layers += layers.length;
  if (place.count.layers > MAX_LAYERS || place.depth > MAX_DEPTH) {
    throw new InvalidInputError(
      `${place.where}: expected at most ${MAX_LAYERS} layers in models ${MAX_DEPTH} deep, received more`,
    );
  }
  if (kind === 'Sequential') return chain(layers, config, place);
  const ends = parseWith(functionalSchema, config, `${place.where} configuration`);
  const parsed = layers.map((layer) => parseLayer(layer, parseNodes(layer, place), place));
  const fromOne = namesCountedFromOne(layers);
  const refs = (list: unknown) => endsOf(list, place).map((ref) => shiftRef(ref, fromOne));
  return {
    layers: parsed.map((layer) => ({ ...layer, nodes: layer.nodes.map((node) => shiftNode(node, fromOne)) })),
    inputs: refs(ends.input_layers),
    outputs: refs(ends.output_layers),
  };
}

/** A Sequential model as a graph: each layer is used once, on what the one before it made. */
function chain(layers: readonly LayerJson[], config: object, place: Place): KerasGraph {
  const first = layers[0];
  const all = first?.class_name === 'InputLayer' ? layers : [inputOf(first, config, place), ...layers];
  const names = all.map(nameOf);
  const parsed = all.map((layer, index) => {
    const operands = index === 0 ? [] : [{ layer: names[index - 1]!, node: 0 }];
    return parseLayer(layer, [{ operands, isInference: false }], place);
  });
  return {
    layers: parsed,
    inputs: [{ layer: names[0]!, node: 0 }],
    outputs: [{ layer: names.at(-1)!, node: 0 }],
  };
}

/** Keras 2 leaves the input out, and has its shape in the first layer. */
function inputOf(first: LayerJson | undefined, config: object, { where }: Place): LayerJson {
  const shape =
    first?.config.batch_input_shape ?? ('build_input_shape' in config ? config.build_input_shape : undefined);
  if (!Array.isArray(shape)) {
    throw new UnsupportedModelError(
      `${where}: expected a Sequential model that was built, received no input shape`,
    );
  }
  return { class_name: 'InputLayer', config: { name: 'input', batch_shape: shape } };
}

function parseLayer(json: LayerJson, nodes: readonly KerasNode[], place: Place): KerasLayer {
  const kind = json.class_name;
  const module = json.module ?? null;
  const registered = json.registered_name ?? '';
  if (!/^(?:tf_)?keras\b/.test(module ?? 'keras') || registered.includes('>')) {
    throw new UnsupportedModelError(
      `model layer "${nameOf(json)}" (${kind}): is a class of its author's, whose code is not in the file`,
      { layer: nameOf(json), kind },
    );
  }
  return {
    kind,
    // without modules, as in .h5, by what every layer has
    isOperation: module?.includes('.ops') ?? !('trainable' in json.config || kind === 'InputLayer'),
    name: nameOf(json),
    config: json.config,
    nodes,
    graph: isModel(kind) ? parseModel(json, { ...place, depth: place.depth + 1 }) : null,
  };
}

function nameOf({ name, config, class_name }: LayerJson): string {
  const own = name ?? config.name;
  return typeof own === 'string' ? own : class_name;
}

/** Models inside whose uses count from 1, as in Keras 2, where each has a use of its own in itself. */
function namesCountedFromOne(layers: readonly LayerJson[]): ReadonlySet<string> {
  const isKeras2 = layers.some(({ inbound_nodes: nodes }) => Array.isArray(nodes?.[0]));
  const models = layers.filter(({ class_name: kind }) => isKeras2 && isModel(kind));
  return new Set(models.map(nameOf));
}

function shiftRef({ layer, node }: TensorRef, fromOne: ReadonlySet<string>): TensorRef {
  return { layer, node: fromOne.has(layer) ? Math.max(0, node - 1) : node };
}

function shiftNode(node: KerasNode, fromOne: ReadonlySet<string>): KerasNode {
  const operands = node.operands.map((operand) =>
    typeof operand === 'number' ? operand : shiftRef(operand, fromOne),
  );
  return { ...node, operands };
}

function endsOf(list: unknown, { where }: Place): TensorRef[] {
  const refs = Array.isArray(list) && Array.isArray(list[0]) ? list : [list];
  return refs.map((ref) => legacyRef(ref, where));
}

function legacyRef(value: unknown, where: string): TensorRef {
  if (Array.isArray(value) && typeof value[0] === 'string' && Number.isInteger(value[1])) {
    if (value[2] === 0) return { layer: value[0], node: value[1] };
  }
  throw new InvalidInputError(
    `${where} configuration: expected layer, use and output 0 of a tensor, received something else`,
  );
}

function parseNodes(layer: LayerJson, { where }: Place): KerasNode[] {
  return (layer.inbound_nodes ?? []).map((node) => {
    if (Array.isArray(node)) return legacyNode(node, where);
    const { args = [], kwargs = {} } = (node ?? {}) as { args?: unknown; kwargs?: Record<string, unknown> };
    const named = ['x', 'x1', 'x2', 'inputs', 'xs']
      .map((key) => kwargs[key])
      .filter((value) => value != null);
    return {
      operands: [args, named].flat(3).flatMap((operand) => parseOperand(operand, where)),
      isInference: kwargs.training === false,
    };
  });
}

/** `[["conv", 0, 0, {}], …]`, or one of these alone. */
function legacyNode(node: readonly unknown[], where: string): KerasNode {
  const refs = (Array.isArray(node[0]) ? node : [node]) as readonly (readonly unknown[])[];
  const kwargs = refs.map((ref) => ref[3] as { training?: unknown } | undefined);
  return {
    operands: refs.map((ref) => legacyRef(ref, where)),
    isInference: kwargs.some((own) => own?.training === false),
  };
}

const tensorSchema = z.looseObject({
  class_name: z.literal('__keras_tensor__'),
  config: z.looseObject({ keras_history: z.tuple([z.string(), z.int().nonnegative(), z.literal(0)]) }),
});

function parseOperand(value: unknown, where: string): Operand[] {
  if (typeof value === 'number') return [value];
  if (value === null || typeof value !== 'object') return [];
  const { keras_history: history } = parseWith(tensorSchema, value, `${where} configuration`).config;
  return [{ layer: history[0], node: history[1] }];
}
