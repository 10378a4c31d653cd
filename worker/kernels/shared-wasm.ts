import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { BackendUnavailableError } from '../../core/errors.ts';
import { sectionsOf, wholeAt } from './wasm-sections.ts';

/** tfjs's own names; every one must have an entry. */
const FILES = [
  'tfjs-backend-wasm.wasm',
  'tfjs-backend-wasm-simd.wasm',
  'tfjs-backend-wasm-threaded-simd.wasm',
] as const;
const SIMD_FILE = FILES[1];

const MEMORY_SECTION = 5;
/** Flags of a memory: it has a maximum; it has one and is shared. */
const BOUNDED = 1;
const BOUNDED_AND_SHARED = 3;

/**
 * Starts tfjs's WASM module with its memory shared between threads. tfjs's own threaded build cannot start under
 * Node, where a thread takes no blob; the module without threads needs one flag of its memory changed.
 *
 * @param folder  that of tfjs's .wasm files
 * @param activate  makes tfjs load its module
 */
export async function startSharedWasm(
  {
    folder,
    setWasmPaths,
  }: { folder: string; setWasmPaths: (paths: Record<string, string>, usePlatformFetch: true) => void },
  activate: () => Promise<void>,
): Promise<void> {
  const binary = shareMemory(Uint8Array.from(await readFile(path.join(folder, SIMD_FILE))));
  const { platform } = tf.env();
  const { fetch } = platform;
  setWasmPaths(Object.fromEntries(FILES.map((file) => [file, file])), true);
  platform.fetch = async () => new Response(binary);
  try {
    await activate();
  } finally {
    platform.fetch = fetch;
  }
}

/** The module with the flag of its one memory changed, in place. */
export function shareMemory(binary: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  for (const { id, start } of sectionsOf(binary)) {
    if (id !== MEMORY_SECTION) continue;
    const { value: memories, end: flag } = wholeAt(binary, start);
    if (memories !== 1 || binary[flag] !== BOUNDED) break;
    binary[flag] = BOUNDED_AND_SHARED;
    return binary;
  }
  throw new BackendUnavailableError('tfjs-backend-wasm: expected a module with one bounded memory', {
    file: SIMD_FILE,
  });
}
