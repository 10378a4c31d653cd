import { Worker } from 'node:worker_threads';
import { InvalidInputError } from '../../../errors.ts';

/** Largest tree that is walked: a network of a thousand layers has some ten thousand objects. */
const MAX_OBJECTS = 20_000;
const MAX_DEPTH = 24;
/** The configuration of the largest public networks has 2 MB. */
const MAX_ATTRIBUTE_BYTES = 2 ** 26;
/** Data that are not packed are never larger than their file. Others may be so many times, or this large. */
const MAX_RATIO = 20;
const FREE_BYTES = 2 ** 26;
const MAX_VALUE_BYTES = 2 ** 31;
/** Attributes that hold the configuration and the order of weights lie no deeper. */
const ATTRIBUTE_DEPTH = 2;

/**
 * Time of the processor that one call of the library may take, for a file of no size and for each of its bytes: tens
 * of times what a slow machine needs.
 */
const PATIENCE_MS = 400;
const SLOWEST_BYTES_PER_MS = 5000;
/** Between two looks at whether the library is stuck. */
const LOOK_MS = 50;

export interface Hdf5Dataset {
  /** From the root, with a slash in front. */
  readonly path: string;
  readonly shape: readonly number[];
  /** Null for what is no number with a fraction; its bytes are not read. */
  readonly dtype: 'float16' | 'float32' | 'float64' | null;
  /** Little-endian, whatever the file has. */
  readonly bytes: Uint8Array | null;
}

export interface Hdf5File {
  /** Texts and lists of texts, by group and by name. */
  readonly attributes: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
  readonly datasets: readonly Hdf5Dataset[];
}

/** Groups that hold the state of an optimizer: it is not read, and stays in the file. */
const SKIPPED = ['/optimizer', '/optimizer_weights'];

/**
 * Reads what a model needs of an HDF5 file. The library is C: a damaged file may leave it in a state in which it
 * misreads the next one, or never ends. So each file has a thread of its own, whose library sees no disk.
 *
 * @param where  file name, to begin messages with
 * @throws InvalidInputError when the bytes are no HDF5 file, or one too deep, too large or with loops
 */
export async function readHdf5(bytes: Uint8Array, where: string): Promise<Hdf5File> {
  const { attributes, datasets } = await ask({ bytes, changes: null }, where);
  return { attributes, datasets };
}

/**
 * The file with datasets overwritten where they lie; every other byte stays.
 *
 * @param changes  little-endian bytes by path, in the dtype of the dataset
 */
export async function writeHdf5(
  bytes: Uint8Array,
  changes: ReadonlyMap<string, Uint8Array>,
  where: string,
): Promise<Uint8Array> {
  return (await ask({ bytes, changes: [...changes] }, where)).bytes;
}

interface Question {
  readonly bytes: Uint8Array;
  readonly changes: readonly (readonly [string, Uint8Array])[] | null;
}

type Answer = Hdf5File & { readonly bytes: Uint8Array };

function ask(question: Question, where: string): Promise<Answer> {
  const refuse = (problem: string, cause?: unknown) =>
    new InvalidInputError(`${where}: expected an HDF5 file, received one ${problem}`, {}, { cause });
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(HDF5_THREAD, {
    eval: true,
    // Without the options of this process, such as a loader for TypeScript, it starts in a tenth of the time.
    execArgv: [],
    env: {},
    stdout: true,
    stderr: true,
    workerData: { ...question, beats, skipped: SKIPPED, library: import.meta.resolve('h5wasm') },
  });
  let timer: NodeJS.Timeout | undefined;
  const answer = new Promise<Answer>((resolve, reject) => {
    worker.on('message', (message: 'ready' | Answer | { problem: string }) => {
      if (message === 'ready') {
        const patienceMs = PATIENCE_MS + question.bytes.length / SLOWEST_BYTES_PER_MS;
        timer = onStall(beats, patienceMs, () => reject(refuse('whose reading does not end')));
      } else if ('problem' in message) reject(refuse(message.problem));
      else resolve(message);
    });
    worker.on('error', (cause) => reject(refuse('that cannot be read', cause)));
    worker.on('exit', () => reject(refuse('that cannot be read')));
  });
  return answer.finally(() => {
    clearInterval(timer);
    return worker.terminate();
  });
}

/**
 * Tells when this process has computed for so long without another beat. Time of the processor, not of the clock: a
 * thread that waits for its turn on a busy machine is not stuck.
 */
function onStall(beats: Int32Array, patienceMs: number, tell: () => void): NodeJS.Timeout {
  let last = { beat: -1, usedMs: 0 };
  return setInterval(() => {
    const { user, system } = process.cpuUsage(); // in microseconds
    const now = { beat: Atomics.load(beats, 0), usedMs: (user + system) / 1000 };
    if (now.beat !== last.beat) last = now;
    else if (now.usedMs - last.usedMs > patienceMs) tell();
  }, LOOK_MS);
}

/**
 * What a thread with an HDF5 library of its own runs. As text it needs no file of its own, from the sources as from
 * a bundle. It answers `ready`, then one object with `problem` or with what was asked for; meanwhile it counts `beats`,
 * one for each step that must end soon:
 *
 *   { bytes, changes: null }              → attributes by group, datasets by path
 *   { bytes, changes: [[path, bytes]] }   → bytes of the file with those datasets overwritten where they lie
 */
const HDF5_THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const beat = () => Atomics.add(workerData.beats, 0, 1);

const FILE = '/file.h5';
const refuse = (problem) => { throw Object.assign(new Error(problem), { isOurs: true }); };
const pathOf = (folder, name) => (folder === '/' ? '' : folder) + '/' + name;
const DTYPES = { 2: 'float16', 4: 'float32', 8: 'float64' };

function attributesOf(group) {
  const found = {};
  for (const [name, attribute] of Object.entries(group.attrs)) {
    const { type, size, total_size: entries } = attribute.metadata;
    if (type !== 3 || !/^(?:model_config|weight_names\\d*)$/.test(name)) continue;
    if (size * entries > ${MAX_ATTRIBUTE_BYTES}) refuse('with an attribute of ' + size * entries + ' bytes');
    found[name] = attribute.value;
  }
  return found;
}

function describe(dataset) {
  const { type, size, shape } = dataset.metadata;
  const bytes = (shape ?? []).reduce((product, extent) => product * extent, size);
  return { shape: shape ?? [], dtype: (type === 1 && DTYPES[size]) || null, length: bytes };
}

function valuesOf(library, file, path, length) {
  const { Module } = library;
  const address = Module._malloc(length || 1);
  if (address === 0) refuse('that needs more memory than there is');
  try {
    Module.get_dataset_data(file.file_id, path, null, null, null, BigInt(address));
    return Module.HEAPU8.slice(address, address + length);
  } finally {
    Module._free(address);
  }
}

function read(library, file, fileBytes, skipped) {
  const attributes = {};
  const datasets = [];
  const queue = [{ path: '/', depth: 0 }];
  const addressOf = (path) => library.Module.create_object_reference(file.file_id, path).join();
  const seen = new Set([addressOf('/')]);
  let objects = 0;
  let total = 0;
  for (const { path, depth } of queue) {
    beat();
    const group = file.get(path);
    if (depth <= ${ATTRIBUTE_DEPTH}) attributes[path] = attributesOf(group);
    for (const name of group.keys()) {
      beat();
      objects += 1;
      if (objects > ${MAX_OBJECTS}) refuse('of more than ${MAX_OBJECTS} objects');
      const inside = pathOf(path, name);
      if (skipped.includes(inside)) continue;
      const entity = group.get(name);
      if (entity?.type === 'Group') {
        if (depth >= ${MAX_DEPTH}) refuse('of groups more than ${MAX_DEPTH} deep');
        if (seen.has(addressOf(inside))) refuse('with one group in two places');
        seen.add(addressOf(inside));
        queue.push({ path: inside, depth: depth + 1 });
      } else if (entity?.type === 'Dataset') {
        const { length, ...facts } = describe(entity);
        total += length;
        const isPacked = entity.filters.length > 0;
        const largest = isPacked ? Math.max(${FREE_BYTES}, ${MAX_RATIO} * fileBytes) : fileBytes;
        if (length > largest || total > ${MAX_VALUE_BYTES}) {
          refuse('of ' + fileBytes + ' bytes with data of shape [' + facts.shape.join(', ') + '] in ' + inside);
        }
        datasets.push({ path: inside, ...facts, bytes: facts.dtype === null ? null : valuesOf(library, file, inside, length) });
      }
    }
  }
  return { attributes, datasets };
}

function write(library, file, changes) {
  const { Module } = library;
  for (const [path, bytes] of changes) {
    const { shape, length } = describe(file.get(path));
    if (length !== bytes.length) refuse('whose ' + path + ' has another size');
    beat();
    const address = Module._malloc(length || 1);
    if (address === 0) refuse('that needs more memory than there is');
    Module.HEAPU8.set(bytes, address);
    const slice = (values) => (shape.length === 0 ? null : values.map(BigInt));
    const [offset, strides] = [shape.map(() => 0), shape.map(() => 1)];
    Module.set_dataset_data(file.file_id, path, slice(shape), slice(offset), slice(strides), BigInt(address));
    Module._free(address);
  }
}

async function main({ library: address, skipped, bytes, changes }) {
  const library = await import(address);
  const module = await library.ready;
  module.activate_throwing_error_handler(); // else it prints
  parentPort.postMessage('ready');
  module.FS.writeFile(FILE, bytes);
  const file = new library.File(FILE, changes === null ? 'r' : 'a');
  if (changes === null) return read(library, file, bytes.length, skipped);
  write(library, file, changes);
  file.close();
  return { bytes: module.FS.readFile(FILE) };
}

const buffersOf = ({ datasets = [], bytes }) => [bytes, ...datasets.map((dataset) => dataset.bytes)].flatMap((own) => own?.buffer ?? []);

main(workerData).then(
  (answer) => parentPort.postMessage(answer, buffersOf(answer)),
  (error) => {
    const lines = String(error?.message ?? error).split('\\n');
    const deepest = lines.findLast((line) => /^ +#/.test(line))?.replace(/^.*?\\): /, '');
    const reason = (deepest ?? lines[0]).slice(0, 200);
    parentPort.postMessage({ problem: error?.isOurs ? reason : 'that cannot be read (' + reason + ')' });
  },
);
`;
