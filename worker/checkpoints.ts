import type { NamedTensor } from './tensor-file.ts';
import { decodeTensors, encodeTensors } from './tensor-file.ts';

/** Where a run keeps what a retry can go on from: whole blobs by name, written at once. */
export interface BlobStore {
  load(name: string): Promise<Uint8Array | null>;
  save(name: string, bytes: Uint8Array): Promise<void>;
}

/** Facts that JSON can hold, with arrays beside them, bit for bit. */
export interface Checkpoint<Facts> {
  readonly facts: Facts;
  readonly tensors: ReadonlyMap<string, NamedTensor>;
}

/** For runs that start again from the beginning. */
export const NO_CHECKPOINTS: BlobStore = { load: async () => null, save: async () => {} };

/**
 * The step's result from an earlier attempt, or the step itself, whose result is then kept. Every draw of a step
 * comes from a source forked for it, so a resumed run gives the same bytes as an undisturbed one.
 */
export async function resumable<Facts>(
  store: BlobStore,
  name: string,
  step: () => Promise<Checkpoint<Facts>>,
): Promise<Checkpoint<Facts>> {
  const saved = await store.load(name);
  if (saved !== null) {
    const { tensors, metadata } = decodeTensors(saved);
    return { facts: JSON.parse(metadata.facts!) as Facts, tensors };
  }
  const result = await step();
  await store.save(name, encodeTensors(result.tensors, { facts: JSON.stringify(result.facts) }));
  return result;
}
