import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { plural } from '../core/data/cells.ts';
import { BackendUnavailableError, InvalidInputError } from '../core/errors.ts';
import { startNative } from './kernels/native.ts';
import { registerTrainingKernels } from './kernels/register.ts';
import { startSharedWasm } from './kernels/shared-wasm.ts';
import { replaceFusedConv2d } from './training/fused-conv2d.ts';

export const BACKENDS = ['auto', 'wasm', 'cpu', 'tensorflow'] as const;
export type BackendChoice = (typeof BACKENDS)[number];

/** The backend that runs, as the report names it. */
export interface RunningBackend {
  readonly name: Exclude<BackendChoice, 'auto'>;
  readonly version: string;
  /** What else decides speed, e.g. `SIMD, 1 thread`. */
  readonly detail: string;
}

/** Imports a package by name; null when it is not installed. */
type LoadPackage = (name: string) => Promise<unknown>;

export interface StartOptions {
  /** How packages are found; for tests. */
  readonly load?: LoadPackage;
  /** TensorFlow's library runs on the CPU, without a word, where it finds no GPU or no driver. */
  readonly requireGpu?: boolean;
  /** Of backend wasm, >= 1; by default one for each core. Results do not depend on it. */
  readonly threads?: number | undefined;
}

/** Optional peers that bring TensorFlow's own library, best first. */
const TENSORFLOW_PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/**
 * Starts the tensor backend of this process. Nothing is loaded before, and gradients are registered with it,
 * since tfjs-core alone has none.
 *
 * `auto` takes TensorFlow's library when one of its packages is installed, else WebAssembly; the plain
 * JavaScript backend runs only when asked for.
 *
 * @throws BackendUnavailableError when the backend asked for, or the GPU that it requires, cannot be had here
 * @throws InvalidInputError when there is no backend of that name
 */
export async function startBackend(
  choice: BackendChoice,
  { load = importIfInstalled, requireGpu = false, threads = availableParallelism() }: StartOptions = {},
): Promise<RunningBackend> {
  // Hides tfjs's advertisement for other backends and its warnings about replaced kernels.
  tf.enableProdMode();
  await import('@tensorflow/tfjs-layers');
  const running = await startChosen(choice, { load, threads });
  if (requireGpu && !isOnGpu()) refuseWithoutGpu(running);
  return running;
}

async function startChosen(
  choice: BackendChoice,
  { load, threads }: { readonly load: LoadPackage; readonly threads: number },
): Promise<RunningBackend> {
  switch (choice) {
    case 'auto':
      return (await startTensorflow(load)) ?? startWasm(threads);
    case 'tensorflow':
      return (await startTensorflow(load)) ?? refuseTensorflow();
    case 'wasm':
      return startWasm(threads);
    case 'cpu':
      return startCpu();
    default:
      throw new InvalidInputError(
        `backend: expected one of ${BACKENDS.join(', ')}, received ${choice satisfies never}`,
        { expected: BACKENDS, received: choice },
      );
  }
}

async function startWasm(threads: number): Promise<RunningBackend> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  registerTrainingKernels();
  replaceFusedConv2d();
  const { setWasmPaths } = wasm;
  await withoutNewCrashHandlers(() =>
    startSharedWasm({ folder: path.dirname(entry), setWasmPaths }, () => activate('wasm')),
  );
  const native = await startNative(tf.backend() as BackendWasm, threads);
  const alone = threads > 1 && native.threads === 1 ? ' (threads do not start here)' : '';
  return {
    name: 'wasm',
    version: wasm.version_wasm,
    detail: `${native.hasRelaxedSimd ? 'relaxed SIMD' : 'SIMD'}, ${plural(native.threads, 'thread')}${alone}`,
  };
}

async function startCpu(): Promise<RunningBackend> {
  const cpu = await import('@tensorflow/tfjs-backend-cpu');
  await activate('cpu');
  return { name: 'cpu', version: cpu.version_cpu, detail: 'plain JavaScript, 1 thread' };
}

/** null when neither package is installed. */
async function startTensorflow(load: LoadPackage): Promise<RunningBackend | null> {
  for (const name of TENSORFLOW_PACKAGES) {
    const loaded = await loadTensorflow(name, load);
    if (loaded === null) continue;
    await activate('tensorflow');
    return {
      name: 'tensorflow',
      version: loaded.version,
      detail: `${name}, ${isOnGpu() ? 'GPU' : 'CPU'}`,
    };
  }
  return null;
}

async function loadTensorflow(name: string, load: LoadPackage): Promise<{ version: string } | null> {
  try {
    const loaded = (await load(name)) as { version?: Readonly<Record<string, string>> } | null;
    return loaded && { version: loaded.version?.['tfjs-node'] ?? 'unknown' };
  } catch (cause) {
    throw new BackendUnavailableError(
      `backend tensorflow: ${name} is installed but does not load; reinstall it or choose backend wasm`,
      { package: name },
      { cause },
    );
  }
}

async function importIfInstalled(name: string): Promise<unknown> {
  try {
    createRequire(import.meta.url).resolve(name);
  } catch {
    return null;
  }
  return import(name);
}

function refuseTensorflow(): never {
  const packages = TENSORFLOW_PACKAGES.join(' or ');
  throw new BackendUnavailableError(
    `backend tensorflow: neither package found, expected ${packages}; ` +
      `npm install --save-optional ${TENSORFLOW_PACKAGES[1]} (CPU) or ${TENSORFLOW_PACKAGES[0]} (NVIDIA GPU), or choose backend wasm`,
    { packages: TENSORFLOW_PACKAGES },
  );
}

/** Does the backend that runs compute on a GPU? Only TensorFlow's says so of itself. */
function isOnGpu(): boolean {
  return (tf.backend() as { isUsingGpuDevice?: boolean }).isUsingGpuDevice === true;
}

function refuseWithoutGpu({ name, version, detail }: RunningBackend): never {
  throw new BackendUnavailableError(
    `backend: expected one on a GPU, received ${name} ${version} (${detail}); does this machine have a GPU and its driver?`,
    { backend: name },
  );
}

async function activate(name: RunningBackend['name']): Promise<void> {
  if (await tf.setBackend(name)) {
    await tf.ready();
    return;
  }
  throw new BackendUnavailableError(
    `backend ${name} does not start`,
    { backend: name },
    { cause: await whyNot(name) },
  );
}

/**
 * The WASM module adds process-wide handlers that rethrow every stray error from inside its own file, so that
 * Node prints that file's one endless line in front of it. They are taken off again.
 */
async function withoutNewCrashHandlers(start: () => Promise<void>): Promise<void> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => new Set<unknown>(process.listeners(event as 'uncaughtException')));
  try {
    await start();
  } finally {
    events.forEach((event, index) => {
      const listeners = process.listeners(event as 'uncaughtException');
      const added = listeners.filter((listener) => !before[index]!.has(listener));
      for (const listener of added) process.removeListener(event, listener);
    });
  }
}

/** tfjs keeps the reason to itself, so the factory is run once more to hear it. */
async function whyNot(name: string): Promise<unknown> {
  try {
    await tf.findBackendFactory(name)();
    return undefined;
  } catch (cause) {
    return cause;
  }
}
