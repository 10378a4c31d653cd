import { execFile } from 'node:child_process';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BACKENDS, startBackend } from '../../worker/backend.ts';

const GPU = '@tensorflow/tfjs-node-gpu';
const CPU = '@tensorflow/tfjs-node';

/** What tfjs-node does when it loads: it registers its backend. */
function loadTensorflow({ isUsingGpuDevice }: { isUsingGpuDevice: boolean }) {
  class Tensorflow extends tf.KernelBackend {
    readonly isUsingGpuDevice = isUsingGpuDevice;
    override dispose(): void {}
  }
  tf.registerBackend('tensorflow', () => new Tensorflow());
  return { version: { 'tfjs-node': '4.22.0' } };
}

/** A package folder that holds only what `installed` names. */
const packages = (installed: Record<string, () => unknown>) => ({
  load: async (name: string) => installed[name]?.() ?? null,
});

describe('startBackend', () => {
  afterEach(() => {
    if (tf.findBackendFactory('tensorflow') !== null) tf.removeBackend('tensorflow');
  });

  test('has not run when its module is imported', () => {
    expect(tf.findBackendFactory('wasm')).toBeNull();
    expect(tf.findBackendFactory('cpu')).toBeNull();
  });

  test('starts WebAssembly and says how it runs', async () => {
    const running = await startBackend('wasm', { threads: 1 });
    expect(running).toEqual({
      name: 'wasm',
      version: '4.22.0',
      detail: expect.stringMatching(/^(?:relaxed )?SIMD, 1 thread$/),
    });
    expect(tf.getBackend()).toBe('wasm');
  });

  test('makes do with one thread where no others start, and says so', async () => {
    const threads = createRequire(import.meta.url)('node:worker_threads');
    const { Worker } = threads;
    const replaceBy = (replacement: unknown) => {
      threads.Worker = replacement;
      syncBuiltinESMExports();
    };
    replaceBy(function refuse() {
      throw new Error('no threads here');
    });
    try {
      const { detail } = await startBackend('wasm', { threads: 4 });
      expect(detail).toMatch(/SIMD, 1 thread \(threads do not start here\)$/);
    } finally {
      replaceBy(Worker);
    }
    expect((await startBackend('wasm', { threads: 4 })).detail).toMatch(/SIMD, 4 threads$/);
  });

  test('makes WebAssembly able to train', async () => {
    await startBackend('wasm');
    const gradient = tf.tidy(() => {
      const images = tf.ones<tf.Rank.R4>([1, 3, 3, 1]);
      return tf.grad((filter: tf.Tensor) => tf.conv2d(images, filter as tf.Tensor4D, 1, 'valid'))(
        tf.ones([2, 2, 1, 1]),
      );
    });
    expect([...gradient.dataSync()]).toEqual([4, 4, 4, 4]);
    gradient.dispose();
  });

  test('starts plain JavaScript when asked for', async () => {
    expect(await startBackend('cpu')).toMatchObject({ name: 'cpu', version: '4.22.0' });
    expect(tf.getBackend()).toBe('cpu');
  });

  test('takes WebAssembly by itself when no TensorFlow package is installed', async () => {
    expect(await startBackend('auto', packages({}))).toMatchObject({ name: 'wasm' });
  });

  test.each(['auto', 'tensorflow'] as const)('prefers the GPU package when asked for %s', async (choice) => {
    const both = packages({
      [GPU]: () => loadTensorflow({ isUsingGpuDevice: true }),
      [CPU]: () => loadTensorflow({ isUsingGpuDevice: false }),
    });
    expect(await startBackend(choice, both)).toEqual({
      name: 'tensorflow',
      version: '4.22.0',
      detail: `${GPU}, GPU`,
    });
    expect(tf.getBackend()).toBe('tensorflow');
  });

  test('takes the CPU package when it is the only one', async () => {
    const one = packages({ [CPU]: () => loadTensorflow({ isUsingGpuDevice: false }) });
    expect(await startBackend('auto', one)).toMatchObject({ name: 'tensorflow', detail: `${CPU}, CPU` });
  });

  test.each(['auto', 'tensorflow'] as const)(
    'refuses to run %s on the CPU where a GPU is required',
    async (choice) => {
      const blind = packages({ [GPU]: () => loadTensorflow({ isUsingGpuDevice: false }) });
      await expect(startBackend(choice, { ...blind, requireGpu: true })).rejects.toMatchObject({
        code: 'BACKEND_UNAVAILABLE',
        message: expect.stringContaining(`${GPU}, CPU`),
      });
    },
  );

  test.each(['auto', 'wasm', 'cpu'] as const)(
    'refuses %s without TensorFlow where a GPU is required',
    async (choice) => {
      await expect(startBackend(choice, { ...packages({}), requireGpu: true })).rejects.toMatchObject({
        code: 'BACKEND_UNAVAILABLE',
      });
    },
  );

  test('takes the GPU that is required', async () => {
    const seeing = packages({ [GPU]: () => loadTensorflow({ isUsingGpuDevice: true }) });
    expect(await startBackend('tensorflow', { ...seeing, requireGpu: true })).toMatchObject({
      detail: `${GPU}, GPU`,
    });
  });

  test('names both packages and how to install them when TensorFlow is asked for and absent', async () => {
    await expect(startBackend('tensorflow')).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message: expect.stringMatching(`${GPU} or ${CPU}.*npm install --save-optional ${CPU}`),
    });
  });

  test('does not pass over an installed package that fails to load', async () => {
    const cause = new Error('tfjs_binding.node not found');
    const broken = packages({
      [GPU]: () => {
        throw cause;
      },
    });
    await expect(startBackend('auto', broken)).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message: expect.stringContaining(GPU),
      cause,
    });
  });

  test('refuses a name that is no backend', async () => {
    expect(BACKENDS).not.toContain('webgl');
    await expect(startBackend('webgl' as 'cpu')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('a backend that does not start', () => {
  const cause = new Error('no memory');

  beforeEach(async () => {
    await startBackend('wasm');
    tf.removeBackend('wasm');
    tf.registerBackend('wasm', () => Promise.reject(cause));
  });

  test('is reported with its cause', async () => {
    await expect(startBackend('wasm')).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message: expect.stringContaining('wasm'),
      cause,
    });
  });
});

describe('a process', () => {
  test('that works on both backends prints nothing of theirs and keeps its crash handlers', async () => {
    const script = `
      const tf = await import('@tensorflow/tfjs-core');
      const { startBackend } = await import('./worker/backend.ts');
      for (const name of ['cpu', 'wasm']) {
        await startBackend(name);
        tf.tidy(() => tf.add(1, 2));
      }
      process.stdout.write(String(process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection')));
    `;
    const run = promisify(execFile);
    const output = await run(process.execPath, [
      '--import',
      'tsx',
      '--input-type',
      'module',
      '--eval',
      script,
    ]);
    expect(output).toEqual({ stdout: '0', stderr: '' });
  });
});
