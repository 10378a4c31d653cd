import type { Classifier, Parameter } from '../../core/model/classifier.ts';

const NORMALIZATION = /norm/i;
const SCALE = /(?:gamma|scale|weight)(?::\d+)?$/i;

export type WeightKind =
  | 'kernel'
  | 'depthwise kernel'
  | 'dense kernel'
  | 'bias'
  | 'norm scale'
  | 'norm offset'
  | 'other';

/** Kind of each weight of the body by the kind of its layer, its shape and, in a normalisation, its name. */
export function kindsOf(model: Pick<Classifier, 'body' | 'layers'>): Map<string, WeightKind> {
  const kindOfLayer = new Map(model.layers.map(({ name, kind }) => [name, kind]));
  const seen = new Set<string>();
  return new Map(
    model.body.map((parameter) => {
      const kind = kindOfLayer.get(parameter.layer) ?? '';
      const isFirst = !seen.has(parameter.layer);
      seen.add(parameter.layer);
      return [parameter.name, kindOf(parameter, { kind, isFirst, hasInputBefore: seen.size > 1 })];
    }),
  );
}

interface Place {
  /** Of the layer, as the format calls it. */
  readonly kind: string;
  /** Of the layer's weights. */
  readonly isFirst: boolean;
  /** Whether a layer with weights lies before. */
  readonly hasInputBefore: boolean;
}

function kindOf({ name, shape }: Parameter, { kind, isFirst, hasInputBefore }: Place): WeightKind {
  if (NORMALIZATION.test(kind) || (kind === '' && NORMALIZATION.test(name))) {
    return isScale(name, isFirst) ? 'norm scale' : 'norm offset';
  }
  if (shape.length === 1) return /prelu/i.test(kind) ? 'other' : 'bias';
  if (shape.length === 2) return 'dense kernel';
  if (shape.length !== 4) return 'other';
  return isDepthwise(shape, `${kind} ${name}`, hasInputBefore) ? 'depthwise kernel' : 'kernel';
}

/** Held as [H, W, channels, 1] or [H, W, 1, channels]; so is the first kernel where images have one channel. */
function isDepthwise(shape: readonly number[], names: string, hasInputBefore: boolean): boolean {
  return /depthwise/i.test(names) || (shape[2] === 1 && hasInputBefore);
}

/** By its name, else by its place: every format has the scale before the offset. */
function isScale(name: string, isFirst: boolean): boolean {
  if (SCALE.test(name)) return true;
  return /(?:beta|bias|offset)(?::\d+)?$/i.test(name) ? false : isFirst;
}

/** `body.3` in `/body/body.3/a/Conv`: PyTorch's sequences, exported. */
const INDEXED = /\.\d+$/;
/** `conv2_block1` in `conv2_block1_1_conv`, `block_3` in `block_3_expand`, `block1a` in `block1a_dwconv`. */
const NAMED_BLOCK = /^.*?(?:block|stage|mixed|layer)_?\d+[a-z]?(?=_|$)/i;

/**
 * Block of each layer as its name spells it: the path up to the first numbered part, or the prefix that names a
 * block. Where a name tells of none, a layer is a block of its own together with the normalisations that follow it.
 */
export function blocksOf(model: Pick<Classifier, 'body' | 'layers'>): Map<string, string> {
  const kindOfLayer = new Map(model.layers.map(({ name, kind }) => [name, kind]));
  const blocks = new Map<string, string>();
  let last: string | null = null;
  for (const { layer } of model.body) {
    if (blocks.has(layer)) continue;
    const isNormalization = NORMALIZATION.test(kindOfLayer.get(layer) ?? '');
    const named = namedBlock(layer);
    const block: string = named ?? (isNormalization && last !== null ? last : layer);
    last = named === null ? block : null;
    blocks.set(layer, block);
  }
  return blocks;
}

function namedBlock(layer: string): string | null {
  const parts = layer.split('/');
  const numbered = parts.findIndex((part) => INDEXED.test(part));
  if (numbered >= 0) return parts.slice(0, numbered + 1).join('/');
  const inLast = NAMED_BLOCK.exec(layer)?.[0];
  if (inLast !== undefined) return inLast;
  // the last part of a path is the operation
  return parts.length > 2 ? parts.slice(0, -1).join('/') : null;
}
