import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { InvalidInputError } from '../../../errors.ts';

/*
 * Just what `.keras` needs of the zip format: read single entries, and replace one while every other byte stays.
 * Libraries either skip the check sums or write all entries anew.
 */

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_OF_CENTRAL = 0x06054b50;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const MAX_COMMENT = 0xffff;
const ZIP64 = 0xffffffff;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
/** Sizes follow the data instead of standing before it. */
const DATA_DESCRIPTOR = 8;

/** An archive of a model has a handful of entries, and more only for its assets. */
const MAX_ENTRIES = 4096;
const MAX_UNZIPPED_BYTES = 2 ** 31;
/** Weights hardly shrink; what unpacks to more than this may be so many times larger than its zipped bytes. */
const FREE_UNZIPPED_BYTES = 2 ** 26;
const MAX_RATIO = 20;

interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly checksum: number;
  readonly zippedBytes: number;
  readonly bytes: number;
  readonly start: number;
  /** Its record in the central directory. */
  readonly record: Buffer;
}

export interface ZipArchive {
  readonly names: readonly string[];
  /**
   * Content of an entry.
   *
   * @throws InvalidInputError when there is none of that name, or it is damaged
   */
  read(name: string): Buffer;
  /** The archive with the content of one entry replaced; all others keep their bytes and their order. */
  replace(name: string, content: Uint8Array): Buffer;
}

/**
 * @param where  file name, to begin messages with
 * @throws InvalidInputError when the bytes are no zip archive, or one that unpacks to too much
 */
export function openZip(bytes: Buffer, where: string): ZipArchive {
  const refuse = (problem: string) => {
    throw new InvalidInputError(`${where}: expected a zip archive, received one ${problem}`);
  };
  const { entries, directory, end } = readDirectory(bytes, refuse);
  const find = (name: string): ZipEntry =>
    entries.find((entry) => entry.name === name) ?? refuse(`without "${name}"`);
  return {
    names: entries.map(({ name }) => name),
    read: (name) => readEntry(bytes, find(name), refuse),
    replace: (name, content) => replaceEntry({ bytes, entries, directory, end }, find(name), content),
  };
}

type Refuse = (problem: string) => never;

interface Directory {
  readonly entries: readonly ZipEntry[];
  /** Where the central directory begins, and its closing record. */
  readonly directory: number;
  readonly end: number;
}

function readDirectory(bytes: Buffer, refuse: Refuse): Directory {
  const end = findEnd(bytes);
  if (end < 0) return refuse('whose end is missing');
  const count = bytes.readUInt16LE(end + 10);
  const directory = bytes.readUInt32LE(end + 16);
  const isSplit = bytes.readUInt16LE(end + 4) !== 0 || bytes.readUInt16LE(end + 8) !== count;
  if (isSplit || directory > end || count > MAX_ENTRIES) return refuse('whose directory is damaged');
  const entries: ZipEntry[] = [];
  let offset = directory;
  for (let index = 0; index < count; index += 1) {
    const entry = readRecord(bytes.subarray(offset, end), refuse);
    if (entry.start + LOCAL_BYTES + entry.zippedBytes > directory) {
      return refuse(`whose entry "${entry.name}" is cut off`);
    }
    entries.push(entry);
    offset += entry.record.length;
  }
  assertNames(entries, refuse);
  assertSizes(entries, refuse);
  return { entries, directory, end };
}

/** The last place of its signature whose comment fills the rest of the file. */
function findEnd(bytes: Buffer): number {
  const first = Math.max(0, bytes.length - END_BYTES - MAX_COMMENT);
  for (let place = bytes.length - END_BYTES; place >= first; place -= 1) {
    if (bytes.readUInt32LE(place) !== END_OF_CENTRAL) continue;
    if (bytes.readUInt16LE(place + 20) === bytes.length - place - END_BYTES) return place;
  }
  return -1;
}

function readRecord(bytes: Buffer, refuse: Refuse): ZipEntry {
  if (bytes.length < CENTRAL_BYTES || bytes.readUInt32LE(0) !== CENTRAL_HEADER) {
    return refuse('whose directory is damaged');
  }
  const nameBytes = bytes.readUInt16LE(28);
  const length = CENTRAL_BYTES + nameBytes + bytes.readUInt16LE(30) + bytes.readUInt16LE(32);
  const entry = {
    name: bytes.toString('utf8', CENTRAL_BYTES, CENTRAL_BYTES + nameBytes),
    method: bytes.readUInt16LE(10),
    checksum: bytes.readUInt32LE(16),
    zippedBytes: bytes.readUInt32LE(20),
    bytes: bytes.readUInt32LE(24),
    start: bytes.readUInt32LE(42),
    record: bytes.subarray(0, length),
  };
  if (length > bytes.length) return refuse('whose directory is damaged');
  if ((bytes.readUInt16LE(8) & ENCRYPTED) !== 0) return refuse(`whose entry "${entry.name}" is encrypted`);
  if (entry.zippedBytes === ZIP64 || entry.bytes === ZIP64) return refuse('of more than 4 GiB');
  if (entry.method === STORED ? entry.zippedBytes !== entry.bytes : entry.method !== DEFLATED) {
    return refuse(`whose entry "${entry.name}" is packed by method ${entry.method}`);
  }
  return entry;
}

/** Nothing is unpacked to disk; a name that would leave its folder is still no name of a model's file. */
function assertNames(entries: readonly ZipEntry[], refuse: Refuse): void {
  const names = new Set<string>();
  for (const { name } of entries) {
    const isPath = name.startsWith('/') || /[\\:\0]/.test(name) || name.split('/').includes('..');
    if (name === '' || isPath) refuse(`whose entry "${name}" lies outside of it`);
    if (names.has(name)) refuse(`with two entries "${name}"`);
    names.add(name);
  }
}

function assertSizes(entries: readonly ZipEntry[], refuse: Refuse): void {
  const zipped = entries.reduce((sum, entry) => sum + entry.zippedBytes, 0);
  const unzipped = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  if (unzipped > MAX_UNZIPPED_BYTES || unzipped > Math.max(FREE_UNZIPPED_BYTES, MAX_RATIO * zipped)) {
    refuse(`that unpacks from ${zipped} to ${unzipped} bytes`);
  }
}

function readEntry(bytes: Buffer, entry: ZipEntry, refuse: Refuse): Buffer {
  const start = dataStart(bytes, entry);
  if (start === null) return refuse(`whose entry "${entry.name}" is damaged`);
  const zipped = bytes.subarray(start, start + entry.zippedBytes);
  const content = entry.method === STORED ? zipped : inflate(zipped, entry);
  if (content?.length !== entry.bytes || crc32(content) !== entry.checksum) {
    return refuse(`whose entry "${entry.name}" is damaged`);
  }
  return content;
}

function dataStart(bytes: Buffer, { start, zippedBytes }: ZipEntry): number | null {
  if (bytes.readUInt32LE(start) !== LOCAL_HEADER) return null;
  const data = start + LOCAL_BYTES + bytes.readUInt16LE(start + 26) + bytes.readUInt16LE(start + 28);
  return data + zippedBytes <= bytes.length ? data : null;
}

/** Stops at the size that was declared, whatever the data unpack to. */
function inflate(zipped: Buffer, entry: ZipEntry): Buffer | null {
  try {
    return inflateRawSync(zipped, { maxOutputLength: Math.max(1, entry.bytes) });
  } catch {
    return null; // and the caller names the entry
  }
}

function replaceEntry(archive: Directory & { bytes: Buffer }, entry: ZipEntry, content: Uint8Array): Buffer {
  const { bytes, entries, directory, end } = archive;
  const starts = [...entries.map(({ start }) => start), directory].sort((a, b) => a - b);
  const next = starts.find((start) => start > entry.start)!;
  const packed = entry.method === STORED ? content : deflateRawSync(content);
  const sizes = { checksum: crc32(content), zippedBytes: packed.length, bytes: content.length };
  const header = Buffer.from(bytes.subarray(entry.start, dataStart(bytes, entry)!));
  header.writeUInt16LE(header.readUInt16LE(6) & ~DATA_DESCRIPTOR, 6);
  writeSizes(header, 14, sizes);
  const shift = entry.start + header.length + packed.length - next;
  const records = entries.map((other) => {
    const record = Buffer.from(other.record);
    if (other.start > entry.start) record.writeUInt32LE(other.start + shift, 42);
    if (other !== entry) return record;
    record.writeUInt16LE(record.readUInt16LE(8) & ~DATA_DESCRIPTOR, 8);
    writeSizes(record, 16, sizes);
    return record;
  });
  const closing = Buffer.from(bytes.subarray(end));
  closing.writeUInt32LE(directory + shift, 16);
  return Buffer.concat([
    bytes.subarray(0, entry.start),
    header,
    packed,
    bytes.subarray(next, directory),
    ...records,
    closing,
  ]);
}

function writeSizes(
  header: Buffer,
  offset: number,
  sizes: Pick<ZipEntry, 'checksum' | 'zippedBytes' | 'bytes'>,
): void {
  header.writeUInt32LE(sizes.checksum, offset);
  header.writeUInt32LE(sizes.zippedBytes, offset + 4);
  header.writeUInt32LE(sizes.bytes, offset + 8);
}
