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
 * Lets the tape that is being recorded be read twice: the backward pass that follows leaves to the next what tfjs
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
