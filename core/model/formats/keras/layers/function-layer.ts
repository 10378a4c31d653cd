import type { Tensor } from '@tensorflow/tfjs-core';
import { tidy } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { layers } from '@tensorflow/tfjs-layers';
import type { Initializer } from '../weights.ts';

interface LayerWeight {
  readonly name: string;
  readonly shape: Shape;
  readonly initializer: Initializer;
  /** False for statistics. */
  readonly isTrained?: boolean;
}

export interface FunctionLayerOptions {
  readonly name: string;
  /** Keras's name of the class. */
  readonly kind: string;
  /** Axis along which it acts, for those who ask for its configuration. */
  readonly axis?: number;
  /** In Keras's order: trained ones first. */
  readonly weights?: (input: Shape) => readonly LayerWeight[];
  readonly compute: (inputs: readonly Tensor[], weights: readonly Tensor[]) => Tensor;
  /** Shape of the output, batch axis included; that of the first input when absent. */
  readonly outputShape?: (inputs: readonly Shape[]) => Shape;
}

/** A layer that tfjs-layers lacks, or computes otherwise than Keras: a function of its inputs and weights. */
export class FunctionLayer extends layers.Layer {
  static readonly className = 'FunctionLayer';
  readonly #options: FunctionLayerOptions;

  constructor(options: FunctionLayerOptions) {
    super({ name: options.name });
    this.#options = options;
  }

  override getClassName(): string {
    return this.#options.kind;
  }

  override getConfig(): ReturnType<layers.Layer['getConfig']> {
    const { axis } = this.#options;
    return { ...super.getConfig(), ...(axis !== undefined && { axis }) };
  }

  override build(input: Shape | Shape[]): void {
    for (const { name, shape, initializer, isTrained = true } of this.#options.weights?.(
      shapesOf(input)[0]!,
    ) ?? []) {
      this.addWeight(name, shape, 'float32', initializer, undefined, isTrained);
    }
    super.build(input);
  }

  override computeOutputShape(input: Shape | Shape[]): Shape {
    const shapes = shapesOf(input);
    return this.#options.outputShape?.(shapes) ?? shapes[0]!;
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const weights = this.weights.map((weight) => weight.read());
    return tidy(() => this.#options.compute([inputs].flat(), weights));
  }
}

function shapesOf(input: Shape | Shape[]): Shape[] {
  return Array.isArray(input[0]) ? (input as Shape[]) : [input as Shape];
}
