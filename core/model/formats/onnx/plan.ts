import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { ForwardMode } from '../../classifier.ts';
import type { Lowering, Step, StoredConstant } from './lowering.ts';
import type { Slot } from './values.ts';

const DTYPES = { float: 'float32', int: 'int32', bool: 'bool' } as const;

/** The steps from inputs of one shape to one output. */
export class Plan {
  readonly steps: readonly Step[];
  readonly #constants: readonly StoredConstant[];
  readonly #output: number;
  /** Slots that nothing reads after a step, by the step's place. */
  readonly #released: readonly (readonly number[])[];
  #tensors: Map<number, Tensor> | null = null;

  /** @param output  stored as its shape says */
  constructor({ steps, constants }: Lowering, output: Slot) {
    this.#output = output.id;
    this.steps = stepsTowards(steps, output.id);
    const read = new Set(this.steps.flatMap(({ inputs }) => inputs));
    this.#constants = constants.filter(({ id }) => read.has(id) || id === output.id);
    this.#released = releases(this.steps, output.id);
  }

  /**
   * @param given  the input and the weights by slot
   * @returns the output; the caller disposes
   */
  run(given: ReadonlyMap<number, Tensor>, mode: ForwardMode): Tensor {
    this.#tensors ??= makeConstants(this.#constants);
    const constants = this.#tensors;
    return tf.tidy(() => {
      const made = new Map<number, Tensor>();
      const tensorOf = (id: number) => (made.get(id) ?? given.get(id) ?? constants.get(id))!;
      this.steps.forEach(({ inputs, outputs, run }, place) => {
        const results = [tf.tidy(() => run(inputs.map(tensorOf), mode))].flat();
        outputs.forEach((id, index) => {
          made.set(id, results[index]!);
        });
        for (const id of this.#released[place]!) {
          made.get(id)?.dispose();
          made.delete(id);
        }
      });
      return made.get(this.#output) ?? tf.clone(tensorOf(this.#output));
    });
  }

  dispose(): void {
    if (this.#tensors !== null) tf.dispose([...this.#tensors.values()]);
    this.#tensors = null;
  }
}

/** Without the steps whose results nothing on the way to the output reads. */
function stepsTowards(steps: readonly Step[], output: number): Step[] {
  const needed = new Set([output]);
  const kept: Step[] = [];
  for (const step of steps.toReversed()) {
    if (!step.outputs.some((id) => needed.has(id))) continue;
    for (const id of step.inputs) needed.add(id);
    kept.unshift(step);
  }
  return kept;
}

function releases(steps: readonly Step[], output: number): number[][] {
  const last = new Map<number, number>();
  steps.forEach(({ inputs, outputs }, place) => {
    for (const id of [...outputs, ...inputs]) last.set(id, place);
  });
  last.delete(output);
  const released = steps.map((): number[] => []);
  for (const [id, place] of last) released[place]!.push(id);
  return released;
}

function makeConstants(constants: readonly StoredConstant[]): Map<number, Tensor> {
  const tensors = constants.map(({ id, constant: { kind, shape, entries } }) => {
    const values = kind === 'float' ? new Float32Array(entries) : new Int32Array(entries);
    const tensor = tf.tidy(() => tf.cast(tf.tensor(values, [...shape]), DTYPES[kind]));
    return [id, tf.keep(tensor)] as const;
  });
  return new Map(tensors);
}
