import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { startCrew } from '../../../worker/kernels/crew.ts';

/** (call, part, scratch) → 100 · (part + 1) at call + 4 · part; a division by 0 traps when call + part is 99. */
const MARK = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 7, 1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0], // (i32, i32, i32) → ()
  ...[2, 16, 1, 3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 3, 1, 1], // shared env.memory
  ...[3, 2, 1, 0],
  ...[7, 8, 1, 4, 0x6d, 0x61, 0x72, 0x6b, 0, 0],
  ...[10, 37, 1, 35, 0],
  ...[0x20, 0, 0x20, 1, 0x41, 4, 0x6c, 0x6a], // call + 4 · part
  ...[0x41, 0xe4, 0x00, 0x20, 1, 0x41, 1, 0x6a, 0x6c], // 100 · (part + 1)
  ...[0x36, 2, 0], // store
  ...[0x41, 1, 0x20, 0, 0x20, 1, 0x6a, 0x41, 0xe3, 0x00, 0x47, 0x6d, 0x1a, 0x0b], // 1 / (call + part ≠ 99)
]);

function makeCrew(threads: number, patienceSeconds = 60) {
  const memory = new (
    WebAssembly as unknown as { Memory: new (limits: object) => WebAssembly.Memory }
  ).Memory({
    initial: 1,
    maximum: 1,
    shared: true,
  });
  const module = new WebAssembly.Module(MARK);
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<
    string,
    (call: number, part: number, scratch: number) => void
  >;
  const crew = startCrew({ memory, module, kernels, control: CONTROL, threads, patienceSeconds });
  return { memory, crew };
}

/** Where the words of a crew lie, and the one that counts threads at work. */
const CONTROL = 128;
const ACTIVE = 2;

/** The engine starts so many threads and no more. */
function limitThreads(most: number): void {
  let started = 0;
  threads.Worker = class extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      if (started === most) throw new Error('no more threads');
      started += 1;
      super(...args);
    }
  };
  syncBuiltinESMExports();
}
const { Worker } = threads;
afterEach(() => {
  threads.Worker = Worker;
  syncBuiltinESMExports();
});

const work = { kernel: 'mark', call: 1024, scratch: { address: 0, bytes: 0 } };

function expectEveryPartOnce({ memory, crew }: ReturnType<typeof makeCrew>): void {
  for (let round = 0; round < 300; round += 1) {
    const parts = 1 + (round % 40);
    const marks = new Int32Array(memory.buffer, work.call, parts + 1).fill(0);
    crew.run({ ...work, parts });
    expect([...marks]).toEqual([...Array.from({ length: parts }, (_, part) => 100 * (part + 1)), 0]);
  }
}

describe('a crew', () => {
  it.each([1, 2, 5])('of %d computes every part once, kernel after kernel', (threads) => {
    const made = makeCrew(threads);
    expect(made.crew.threads).toBe(threads);
    expectEveryPartOnce(made);
  });

  it.each([
    [0, 1],
    [2, 3],
  ])('makes do with the threads that the engine starts: %d besides its own', (most, expected) => {
    limitThreads(most);
    const made = makeCrew(5);
    expect(made.crew.threads).toBe(expected);
    expectEveryPartOnce(made);
  });

  it('computes every part when all its other threads have ended', async () => {
    const made = makeCrew(3);
    made.crew.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expectEveryPartOnce(made);
  });

  it('gives up when a thread has died in the middle of a part', () => {
    const { memory, crew } = makeCrew(2, 1);
    Atomics.add(new Int32Array(memory.buffer, CONTROL), ACTIVE, 1); // which it would have taken back
    expect(() => crew.run({ ...work, parts: 4 })).toThrow(
      expect.objectContaining({ code: 'BACKEND_UNAVAILABLE' }),
    );
  });

  it('of one passes on the error of a kernel', () => {
    expect(() => makeCrew(1).crew.run({ ...work, call: 96, parts: 10 })).toThrow('divide by zero');
  });

  it('of several never keeps an error of a thread to itself', async () => {
    const { crew } = makeCrew(3);
    await expect(
      (async () => {
        for (let round = 0; round < 1000; round += 1) crew.run({ ...work, call: 96, parts: 10 });
      })(),
    ).rejects.toThrow(/divide by zero|a thread ended in an error in kernel mark/);
  });
});
