import type { BlobStore } from '../../worker/checkpoints.ts';

export interface MemoryBlobs extends BlobStore {
  /** Names in order of saving. */
  readonly saved: string[];
}

/** Checkpoints in memory; `stopAfter` saves the run is killed, as by a host that goes away. */
export function memoryBlobs(stopAfter = Number.POSITIVE_INFINITY): MemoryBlobs & { stopAfter: number } {
  const blobs = new Map<string, Uint8Array>();
  const store = {
    saved: [] as string[],
    stopAfter,
    load: async (name: string) => blobs.get(name) ?? null,
    save: async (name: string, bytes: Uint8Array) => {
      blobs.set(name, bytes);
      store.saved.push(name);
      if (store.saved.length >= store.stopAfter) throw new Error('killed');
    },
  };
  return store;
}
