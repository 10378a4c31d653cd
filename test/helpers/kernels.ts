import * as tf from '@tensorflow/tfjs-core';

/** Kernels that `run` calls, with how often. */
export async function kernelCalls(run: () => unknown): Promise<Readonly<Record<string, number>>> {
  const { kernels } = await tf.profile(async () => {
    await run();
    return [];
  });
  const calls: Record<string, number> = {};
  for (const { name } of kernels) calls[name] = (calls[name] ?? 0) + 1;
  return calls;
}
