import * as tf from '@tensorflow/tfjs-core';

/** Kernels that `run` calls, with how often, and the most bytes that tensors held at the end of one. */
export async function profileOf(
  run: () => unknown,
): Promise<{ readonly calls: Readonly<Record<string, number>>; readonly peakBytes: number }> {
  const { kernels, peakBytes } = await tf.profile(async () => {
    await run();
    return [];
  });
  const calls: Record<string, number> = {};
  for (const { name } of kernels) calls[name] = (calls[name] ?? 0) + 1;
  return { calls, peakBytes };
}
