import { Worker } from 'node:worker_threads';
import { BackendUnavailableError } from '../../core/errors.ts';
import type { NativeKernel } from './native.ts';

/*
 * Threads that share the memory of tfjs's module and take the parts of a kernel one after the other. Which thread
 * computes a part changes nothing in it, so results depend neither on timing nor on the number of threads.
 *
 * They speak through nine words of that memory:
 *
 *   ROUND    counts kernels; a thread without work waits for its change
 *   TICKET   the next part to take; CLOSED between two kernels
 *   ACTIVE   threads between taking a first ticket and leaving; the next kernel waits until there is none
 *   FAILED   1 once a thread has met an error
 *   KERNEL, CALL, PARTS, SCRATCH, SCRATCH_BYTES   what is to be done
 */
const ROUND = 0;
const TICKET = 1;
const ACTIVE = 2;
const FAILED = 3;
const KERNEL = 4;
const CALL = 5;
const PARTS = 6;
const SCRATCH = 7;
const SCRATCH_BYTES = 8;
const WORDS = 9;

/** Above every part. */
const CLOSED = 2 ** 30;
/** Looks at a word before a thread sleeps: kernels follow each other within microseconds, waking takes tens. */
const LOOKS = 4000;
/** A part takes milliseconds, and a machine that works on others may hold a thread up, but not for so long. */
const PATIENCE_SECONDS = 120;

interface Work {
  readonly kernel: string;
  /** Address of its arguments. */
  readonly call: number;
  readonly parts: number;
  /** Of the first thread, and bytes of each. */
  readonly scratch: { readonly address: number; readonly bytes: number };
}

export interface Crew {
  /** This one included; fewer than were asked for where the engine starts no more. */
  readonly threads: number;
  run(work: Work): void;
  /** Ends the other threads. */
  close(): void;
}

interface CrewOptions {
  readonly memory: WebAssembly.Memory;
  readonly module: WebAssembly.Module;
  readonly kernels: Readonly<Record<string, NativeKernel>>;
  /** Address of 64 bytes of the memory, aligned. */
  readonly control: number;
  /** To start, this one included. */
  readonly threads: number;
  /** For a thread that has begun a part to end it. */
  readonly patienceSeconds?: number;
}

/** Where no thread starts, or none comes in time, this one computes every part. */
export function startCrew(options: CrewOptions): Crew {
  const { memory, kernels, control, patienceSeconds = PATIENCE_SECONDS } = options;
  const names = Object.keys(kernels);
  const words = new Int32Array(memory.buffer, control, WORDS).fill(0);
  Atomics.store(words, TICKET, CLOSED);
  const others = startThreads(options);
  return {
    threads: 1 + others.length,
    run(work) {
      const compute = kernels[work.kernel];
      if (compute === undefined) throw new TypeError(`no kernel is called ${work.kernel}`);
      if (others.length === 0 || work.parts === 1) {
        for (let part = 0; part < work.parts; part += 1) compute(work.call, part, work.scratch.address);
      } else {
        share(words, { ...work, compute, index: names.indexOf(work.kernel), patienceSeconds });
      }
    },
    close() {
      for (const worker of others) void worker.terminate();
    },
  };
}

function startThreads({ memory, module, control, threads }: CrewOptions): Worker[] {
  const started: Worker[] = [];
  try {
    for (let thread = 1; thread < threads; thread += 1) {
      const workerData = { memory, module, control, thread };
      // Without the options of this process, such as a loader for TypeScript, it starts in a tenth of the time.
      const worker = new Worker(THREAD, { eval: true, workerData, execArgv: [], env: {} });
      // One that ends before or between kernels leaves its parts to the others.
      worker.on('error', () => {});
      worker.unref();
      started.push(worker);
    }
  } catch {
    // The engine has no threads, or no more: those that there are do.
  }
  return started;
}

interface SharedWork extends Work {
  readonly compute: NativeKernel;
  readonly index: number;
  readonly patienceSeconds: number;
}

/** Opens the work to all threads, takes part in it, and returns when the last has left. */
function share(words: Int32Array, work: SharedWork): void {
  const { kernel, compute, index, call, parts, scratch, patienceSeconds } = work;
  words.set([index, call, parts, scratch.address, scratch.bytes], KERNEL);
  Atomics.store(words, TICKET, 0);
  Atomics.add(words, ROUND, 1);
  Atomics.notify(words, ROUND);
  try {
    let part = Atomics.add(words, TICKET, 1);
    for (; part < parts; part = Atomics.add(words, TICKET, 1)) compute(call, part, scratch.address);
  } finally {
    Atomics.store(words, TICKET, CLOSED);
    awaitNobody(words, patienceSeconds);
  }
  if (Atomics.load(words, FAILED) === 0) return;
  throw new BackendUnavailableError(`backend wasm: a thread ended in an error in kernel ${kernel}`, {
    kernel,
  });
}

/**
 * Second by second: a process that is halted for an hour and goes on has waited one second.
 *
 * @throws BackendUnavailableError when a thread has died in the middle of a part, of which no event tells while we wait
 */
function awaitNobody(words: Int32Array, patienceSeconds: number): void {
  let seconds = 0;
  for (let look = 0; seconds < patienceSeconds; look += 1) {
    const active = Atomics.load(words, ACTIVE);
    if (active === 0) return;
    if (look > LOOKS && Atomics.wait(words, ACTIVE, active, 1000) === 'timed-out') seconds += 1;
  }
  throw new BackendUnavailableError(
    `backend wasm: a thread has not ended its part of a kernel within ${patienceSeconds} seconds`,
  );
}

/** What the other threads run. As text it needs no file of its own, from the sources as from a bundle. */
const THREAD = `
const { memory, module, control, thread } = require('node:worker_threads').workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
const kernels = Object.values(exports);
const words = new Int32Array(memory.buffer, control, ${WORDS});
const word = (place) => words[place] >>> 0;
let round = 0;
for (;;) {
  for (let look = 0; look < ${LOOKS} && Atomics.load(words, ${ROUND}) === round; look += 1);
  Atomics.wait(words, ${ROUND}, round);
  round = Atomics.load(words, ${ROUND});
  Atomics.add(words, ${ACTIVE}, 1);
  try {
    let part = Atomics.add(words, ${TICKET}, 1);
    while (part < ${CLOSED} && part < words[${PARTS}]) {
      kernels[words[${KERNEL}]](word(${CALL}), part, word(${SCRATCH}) + thread * word(${SCRATCH_BYTES}));
      part = Atomics.add(words, ${TICKET}, 1);
    }
  } catch {
    Atomics.store(words, ${FAILED}, 1);
  } finally {
    if (Atomics.sub(words, ${ACTIVE}, 1) === 1) Atomics.notify(words, ${ACTIVE});
  }
}
`;
