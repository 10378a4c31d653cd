import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { BackendUnavailableError } from '../../core/errors.ts';

const WASM_FILE = 'tfjs-backend-wasm-simd.wasm';
const CRASH_EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Starts tfjs's WASM backend for inference and arithmetic, once; later calls wait for the first. Where it runs
 * already, it is left as it is.
 *
 * @param folder  holds the .wasm files; absent: beside this bundle, or in the package where nothing is bundled
 * @throws BackendUnavailableError when it does not start, and from then on: tfjs tries once a process
 */
export function makeStartBackend(folder?: string): () => Promise<void> {
  let started: Promise<void> | null = null;
  return () => {
    started ??= startWasm(folder ?? wasmFolder());
    return started;
  };
}

function wasmFolder(): string {
  const beside = path.dirname(fileURLToPath(import.meta.url));
  if (existsSync(path.join(beside, WASM_FILE))) return beside;
  return path.dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
}

async function startWasm(folder: string): Promise<void> {
  // The current backend's name is set even where that backend failed to start.
  if (tf.engine().registry.wasm != null && tf.getBackend() === 'wasm') return;
  // Hides tfjs's advertisement for other backends.
  tf.enableProdMode();
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  const before = new Set(CRASH_EVENTS.flatMap(listenersOf));
  try {
    wasm.setWasmPaths(`${folder}/`);
    if (!(await tf.setBackend('wasm'))) throw unavailable();
  } catch (cause) {
    throw unavailable(cause);
  } finally {
    // The module adds handlers that print its one endless line in front of every stray error.
    for (const event of CRASH_EVENTS) {
      for (const listener of listenersOf(event)) if (!before.has(listener)) process.off(event, listener);
    }
  }
}

function listenersOf(event: (typeof CRASH_EVENTS)[number]) {
  return process.listeners(event as 'uncaughtException') as ((...args: unknown[]) => void)[];
}

function unavailable(cause?: unknown): BackendUnavailableError {
  return new BackendUnavailableError('backend wasm does not start', { backend: 'wasm' }, { cause });
}
