import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { ForwardMode } from '../../classifier.ts';
import type { Lowering, Step, StoredConstant } from './lowering.ts';
import type { Slot } from './values.ts';

const DTYPES = { float: 'float32', int: 'int32', bool: 'bool' } as const;

/** The steps from inputs of one shape to outputs. */
export class Plan {
  readonly steps: readonly Step[];
  readonly #constants: readonly StoredConstant[];
  readonly #outputs: readonly number[];
  /** Slots that nothing reads after a step, by the step's place. */
  readonly #released: readonly (readonly number[])[];
  #tensors: Map<number, Tensor> | null = null;

  /** @param outputs  stored as their shapes say */
  constructor({ steps, constants }: Lowering, outputs: readonly Slot[]) {
    this.#outputs = outputs.map(({ id }) => id);
    this.steps = stepsTowards(steps, this.#outputs);
    const read = new Set(this.steps.flatMap(({ inputs }) => inputs));
    this.#constants = constants.filter(({ id }) => read.has(id) || this.#outputs.includes(id));
    this.#released = releases(this.steps, this.#outputs);
  }

  /**
   * @param given  the input and the weights by slot
   * @returns a tensor for each output; the caller disposes
   */
  run(given: ReadonlyMap<number, Tensor>, mode: ForwardMode): Tensor[] {
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
      return this.#outputs.map((id, place) => {
        const isOwn = made.has(id) && this.#outputs.indexOf(id) === place;
        return isOwn ? made.get(id)! : tf.clone(tensorOf(id));
      });
    });
  }

  dispose(): void {
    if (this.#tensors !== null) tf.dispose([...this.#tensors.values()]);
    this.#tensors = null;
  }
}

/** Without the steps whose results nothing on the way to the outputs reads. */
function stepsTowards(steps: readonly Step[], outputs: readonly number[]): Step[] {
  const needed = new Set(outputs);
  const kept: Step[] = [];
  for (const step of steps.toReversed()) {
    if (!step.outputs.some((id) => needed.has(id))) continue;
    for (const id of step.inputs) needed.add(id);
    kept.unshift(step);
  }
  return kept;
}

function releases(steps: readonly Step[], outputs: readonly number[]): number[][] {
  const last = new Map<number, number>();
  steps.forEach(({ inputs, outputs }, place) => {
    for (const id of [...outputs, ...inputs]) last.set(id, place);
  });
  for (const id of outputs) last.delete(id);
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
