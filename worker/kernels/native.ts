import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { BackendUnavailableError } from '../../core/errors.ts';
import { type Crew, startCrew } from './crew.ts';

/** A kernel of worker/kernels/assembly: addresses of its arguments and of its thread's scratch, as in call.ts there. */
export type NativeKernel = (call: number, part: number, scratch: number) => void;

export interface NativeCall {
  /** Whole numbers and addresses, at most 64. */
  readonly args: readonly number[];
  readonly floats?: readonly number[];
  /** Pieces of work that write apart from each other; 1 when absent. Never derived from the number of threads. */
  readonly parts?: number;
  /** Scratch memory of each thread, in bytes. */
  readonly scratchBytes?: number;
}

/** Our kernels over the memory of a backend. */
interface Native {
  readonly hasRelaxedSimd: boolean;
  /** That work on them, this one included; one where the engine starts no others. */
  readonly threads: number;
  run(kernel: string, call: NativeCall): void;
}

const FLOATS_AT = 64;
const CALL_WORDS = 128;
const ALIGNMENT = 64;

const natives = new WeakMap<BackendWasm, Native & Pick<Crew, 'close'>>();

/** Memory that tfjs's module works in; its own type does not tell of it. */
interface ModuleWithMemory {
  readonly asm: { readonly memory: WebAssembly.Memory };
  _malloc(bytes: number): number;
  _free(address: number): void;
}

/**
 * Loads the kernels into the memory of a backend, which is to be shared (`startSharedWasm`). Threads of an earlier
 * call for it end.
 *
 * @param threads  >= 1, this one included
 */
export async function startNative(backend: BackendWasm, threads: number): Promise<Native> {
  natives.get(backend)?.close();
  const { wasm } = backend as unknown as { wasm: ModuleWithMemory };
  const { memory } = wasm.asm;
  if (!(memory.buffer instanceof SharedArrayBuffer)) {
    throw new BackendUnavailableError(
      'backend wasm: expected memory that threads share, received that of a backend which something else started',
      { backend: 'wasm' },
    );
  }
  const { module, hasRelaxedSimd } = await compileKernels();
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = exports as Readonly<Record<string, NativeKernel>>;
  const control = allocate(wasm, 4 * CALL_WORDS);
  const crew = startCrew({ memory, module, kernels, control: allocate(wasm, 64), threads });
  let scratch = { address: 0, bytes: 0 };
  const scratchFor = (bytes: number): number => {
    if (bytes * threads > scratch.bytes) {
      if (scratch.bytes > 0) wasm._free(scratch.address);
      scratch = { address: wasm._malloc(bytes * threads + ALIGNMENT), bytes: bytes * threads };
    }
    return Math.ceil(scratch.address / ALIGNMENT) * ALIGNMENT;
  };
  const native = {
    hasRelaxedSimd,
    threads: crew.threads,
    close: crew.close,
    run(kernel: string, { args, floats = [], parts = 1, scratchBytes = 0 }: NativeCall) {
      const bytes = Math.ceil(scratchBytes / ALIGNMENT) * ALIGNMENT;
      const address = scratchFor(bytes);
      new Int32Array(memory.buffer, control, FLOATS_AT).set(args);
      new Float32Array(memory.buffer, control + 4 * FLOATS_AT, FLOATS_AT).set(floats);
      crew.run({ kernel, call: control, parts, scratch: { address, bytes } });
    },
  };
  natives.set(backend, native);
  return native;
}

/** @throws BackendUnavailableError when the kernels were not loaded into this backend */
export function nativeOf(backend: BackendWasm): Native {
  const native = natives.get(backend);
  if (native !== undefined) return native;
  throw new BackendUnavailableError('backend wasm: expected one that startBackend has started', {
    backend: 'wasm',
  });
}

/** Runs a kernel on all threads; it has ended when this returns. */
export function runNative(backend: BackendWasm, kernel: string, call: NativeCall): void {
  nativeOf(backend).run(kernel, call);
}

/** Where the elements of a tensor lie; they stay there until it is disposed. */
export function addressOf(backend: BackendWasm, { dataId }: Pick<TensorInfo, 'dataId'>): number {
  const { dataIdMap } = backend as unknown as { dataIdMap: { get(id: object): { memoryOffset: number } } };
  return dataIdMap.get(dataId).memoryOffset;
}

/** Address of so many bytes, aligned. They are never given back. */
function allocate({ _malloc: malloc }: ModuleWithMemory, bytes: number): number {
  return Math.ceil(malloc(bytes + ALIGNMENT) / ALIGNMENT) * ALIGNMENT;
}

/** The variant with fused multiply-add where the engine knows it: Node 22 and later. */
async function compileKernels(): Promise<{ module: WebAssembly.Module; hasRelaxedSimd: boolean }> {
  const { RELAXED_SIMD, SIMD } = await import('./binaries.ts'); // the largest of our files: only when it is needed
  const relaxed = Buffer.from(RELAXED_SIMD, 'base64');
  const hasRelaxedSimd = WebAssembly.validate(relaxed);
  const binary = hasRelaxedSimd ? relaxed : Buffer.from(SIMD, 'base64');
  return { module: new WebAssembly.Module(binary), hasRelaxedSimd };
}
