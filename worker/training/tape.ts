import * as tf from '@tensorflow/tfjs-core';

/**
 * Computes without a trace on the tape that is being recorded, if one is: no gradient goes through what is computed
 * here, and nothing is kept for one. tfjs runs the inside of its own kernels so; outside of them it has no such call.
 */
export function withoutTape<Result>(compute: () => Result): Result {
  const { state } = tf.engine();
  state.kernelDepth += 1;
  try {
    return compute();
  } finally {
    state.kernelDepth -= 1;
  }
}

/**
 * Lets the tape that is being recorded be read once more: the backward pass that follows leaves to the next what tfjs
 * would dispose after it. To be called as the last thing of a forward pass.
 *
 * @returns puts all of it on the tape of the next forward pass, whose backward pass then disposes it
 */
export function keepTape(): () => void {
  const { state } = tf.engine();
  const nodes = state.activeTape;
  // A node's own list says what is to be disposed; its gradient has a list of its own.
  state.activeTape = nodes.map((node) => ({ ...node, saved: [] }));
  return () => state.activeTape.push(...nodes);
}

/**
 * Lets the backward pass that follows dispose what it has read: what a step of the forward pass has saved, and the
 * gradients by its results, once its own gradients are computed. tfjs itself holds all of them to the end, which is
 * twice the memory. To be called as the last thing of a forward pass.
 *
 * @param weights  by which gradients are wanted; what they have no part in is disposed at once
 */
export function releaseWhenRead(weights: readonly tf.Tensor[]): void {
  const { state } = tf.engine();
  const reached = new Set(weights.map(({ id }) => id));
  const reading: Reading = { handedOut: new WeakSet(), begun: new Set(), release() {} };
  for (const node of state.activeTape) {
    if (!Object.values(node.inputs).some(({ id }) => reached.has(id))) {
      tf.dispose(node.saved!);
      continue;
    }
    for (const { id } of node.outputs) reached.add(id);
    if (node.gradient) node.gradient = releasing(node, node.gradient, reading);
  }
}

type Node = ReturnType<typeof tf.engine>['state']['activeTape'][number];
type Gradient = NonNullable<Node['gradient']>;

interface Reading {
  /** Gradients that are tfjs's by now. */
  readonly handedOut: WeakSet<tf.Tensor>;
  /** Ids of tensors by which there is a gradient already; tfjs adds further ones to it. */
  readonly begun: Set<number>;
  /** Disposes what the step that was read last has used. */
  release(): void;
}

function releasing(node: Node, gradient: Gradient, reading: Reading): Gradient {
  return (dys) => {
    reading.release();
    const { track } = tf.engine().state.activeScope;
    const before = track.length;
    const gradients = gradient(dys);
    const used = new Set([...node.saved!, ...dys.filter((dy) => dy != null), ...track.slice(before)]);
    reading.release = () => tf.dispose([...used]);
    const handOut = (name: string) => {
      const found = gradients[name]!();
      const dx = reading.handedOut.has(found) ? tf.clone(found) : found; // dy itself, which is used up here
      reading.handedOut.add(dx);
      const { id } = node.inputs[name]!;
      if (reading.begun.has(id)) used.add(dx);
      else used.delete(dx);
      reading.begun.add(id);
      return dx;
    };
    return Object.fromEntries(Object.keys(gradients).map((name) => [name, () => handOut(name)]));
  };
}
