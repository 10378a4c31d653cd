import { realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep, win32 } from 'node:path';
import { InvalidInputError, StorageError } from '../errors.ts';
import { cleanText, describeCell, parseNumber, quote } from './cells.ts';
import { makeNumberColumn } from './column-builder.ts';
import type { Columns } from './columns.ts';
import type { TableFeature } from './preprocess.ts';
import { systemCode } from './read-json.ts';
import { makeSampleReader } from './samples.ts';
import { readTable } from './table.ts';
import { cellPlace } from './tables/batch.ts';
import type { Manifest } from './types.ts';

/** Paths that are looked up at once. */
const LOOKUPS = 32;

export interface ManifestOptions {
  /** Feature columns of a table model, from its preprocess; image models have `columns.image` instead. */
  readonly features?: readonly TableFeature[];
  /** Folder that image paths start from; the manifest's own when absent. */
  readonly root?: string;
}

interface InputReader {
  readonly columns: readonly string[];
  add(line: number, cells: readonly string[]): void | Promise<void>;
  finish(): Promise<Manifest['input']>;
}

/**
 * Reads a manifest: labels, sensitive features, and per row either an image's path or feature values. Every image
 * must exist below the root, also after symbolic links, and be listed once; pixels are not read yet.
 *
 * @throws InvalidInputError for a malformed table, labels and groups that `makeSampleReader` refuses, an image that
 *   is absent, listed twice or outside the root, or a feature value of the wrong kind, naming the line
 * @throws StorageError when the manifest or its root cannot be read
 */
export async function loadManifest(
  path: string,
  columns: Columns,
  options: ManifestOptions = {},
): Promise<Manifest> {
  const input = await makeInputReader(path, columns, options);
  const reader = makeSampleReader(path, columns);
  const own = reader.columns.length;
  for await (const row of readTable(path, { columns: [...reader.columns, ...input.columns] })) {
    reader.add(row);
    await input.add(row.line, row.cells.slice(own));
  }
  const inputs = await input.finish();
  return { ...reader.finish(), input: inputs };
}

async function makeInputReader(
  path: string,
  columns: Columns,
  options: ManifestOptions,
): Promise<InputReader> {
  const { features, root = dirname(path) } = options;
  if (columns.image !== undefined && features === undefined) return imageReader(path, columns.image, root);
  if (features !== undefined && columns.image === undefined) return featureReader(path, features);
  const received = features === undefined ? 'neither' : 'both';
  throw new InvalidInputError(
    `${path}: expected an image column (--image) or feature columns in the preprocess, received ${received}`,
    { path, received },
  );
}

/** Where an image really is, or what is wrong with its path. */
type Lookup = { readonly file: string } | { readonly problem: string };

async function imageReader(path: string, column: string, folder: string): Promise<InputReader> {
  const root = await realpath(folder).catch((cause) => {
    throw new StorageError(`${folder}: cannot be read (${systemCode(cause)})`, { path: folder }, { cause });
  });
  const paths: string[] = [];
  const lines = makeNumberColumn(Int32Array);
  const lineOfFile = new Map<string, number>();
  let waiting: { readonly line: number; readonly cell: string; readonly lookup: Promise<Lookup> }[] = [];
  const settle = async () => {
    const batch = waiting;
    waiting = [];
    for (const { line, cell, lookup } of batch) {
      const found = await lookup;
      if ('problem' in found) throw badImage(cellPlace(path, line, column), found.problem);
      const other = lineOfFile.get(found.file);
      if (other !== undefined) throw listedTwice(path, [other, line], cell);
      lineOfFile.set(found.file, line);
      paths.push(cell);
      lines.push(line);
    }
  };
  return {
    columns: [column],
    add(line, cells) {
      waiting.push({ line, cell: cells[0]!, lookup: findImage(root, cells[0]!) });
      return waiting.length < LOOKUPS ? undefined : settle();
    },
    async finish() {
      await settle();
      return { kind: 'image', root, paths, lines: lines.finish() };
    },
  };
}

async function findImage(root: string, cell: string): Promise<Lookup> {
  if (cell.trim() === '') return { problem: 'an empty cell' };
  const problem = (text: string) => ({ problem: `${quote(cell)}, which ${text}` });
  if (isAbsolute(cell) || win32.isAbsolute(cell)) return problem('is absolute');
  const path = resolve(root, cell);
  if (!isBelow(root, path)) return problem('leaves that folder');
  try {
    const file = await realpath(path);
    if (!isBelow(root, file)) return problem('links to a place outside that folder');
    return (await stat(file)).isFile() ? { file } : problem('is no file');
  } catch (error) {
    const code = systemCode(error);
    return problem(code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`);
  }
}

function isBelow(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function badImage(place: string, problem: string): InvalidInputError {
  return new InvalidInputError(
    `${place}: expected an image's path relative to the manifest's folder (or root), received ${problem}`,
    { place },
  );
}

function listedTwice(path: string, lines: readonly [number, number], cell: string): InvalidInputError {
  return new InvalidInputError(
    `${path}, lines ${lines[0]} and ${lines[1]}: expected each image once, received ${quote(cell)} twice`,
    { path, lines },
  );
}

function featureReader(path: string, features: readonly TableFeature[]): InputReader {
  const values = makeNumberColumn(Float64Array);
  const columns = features.map((feature) => feature.column);
  const readers = features.map(cellReader);
  return {
    columns,
    add(line, cells) {
      readers.forEach((read, index) => {
        const result = read(cells[index]!);
        if (typeof result === 'string') {
          const place = cellPlace(path, line, columns[index]!);
          throw new InvalidInputError(
            `${place}: expected ${result}, received ${describeCell(cells[index]!)}`,
            {
              place,
            },
          );
        }
        values.push(result);
      });
    },
    finish: async () => ({ kind: 'table', columns, values: values.finish() }),
  };
}

/** @returns reader of one cell: its value, or in words what it should have been */
function cellReader(feature: TableFeature): (cell: string) => number | string {
  if ('categories' in feature) {
    const indices = new Map(feature.categories.map((category, index) => [category, index]));
    const unknown = feature.unknown === 'zeros' ? -1 : `one of the ${indices.size} categories`;
    return (cell) => indices.get(cleanText(cell)) ?? unknown;
  }
  const { missing } = feature;
  return (cell) => {
    if (missing !== undefined && cell.trim() === '') return missing;
    return parseNumber(cell) ?? 'a number';
  };
}
