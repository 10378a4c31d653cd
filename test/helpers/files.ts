import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { afterAll, beforeAll } from 'vitest';

export interface TempFolder {
  /** Absolute path; set once the tests of the file run. */
  readonly path: string;
  /** Absolute path of a name inside the folder. */
  at(name: string): string;
  /** Writes a file, its folders made, and returns its absolute path. */
  write(name: string, content: string | Uint8Array): Promise<string>;
}

/** A folder of its own for one test file, made before its tests and removed after them. */
export function useTempFolder(): TempFolder {
  let path = '';
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), 'counterweight-'));
  });
  afterAll(() => rm(path, { recursive: true, force: true }));
  return {
    get path() {
      return path;
    },
    at: (name) => join(path, name),
    async write(name, content) {
      const file = join(path, name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
      return file;
    },
  };
}

export interface PngOptions {
  readonly width: number;
  readonly height: number;
  readonly depth: 8 | 16;
  readonly kind: 'grey' | 'RGB' | 'palette' | 'grey+alpha' | 'RGBA';
  /** Samples row by row; indices for a palette. */
  readonly values: readonly number[];
  /** Chunks between header and data, e.g. `PLTE`. */
  readonly chunks?: readonly (readonly [type: string, data: readonly number[]])[];
}

const COLOUR_TYPES = { grey: 0, RGB: 2, palette: 3, 'grey+alpha': 4, RGBA: 6 } as const;

/** A PNG file made by the letter of its specification, so that its pixel values are those given. */
export function encodePng({ width, height, depth, kind, values, chunks = [] }: PngOptions): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, COLOUR_TYPES[kind]], 8);
  const samples = depth === 16 ? values.flatMap((value) => [value >> 8, value & 255]) : values;
  const stride = samples.length / height;
  const rows = Array.from({ length: height }, (_, y) => [0, ...samples.slice(y * stride, (y + 1) * stride)]);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    ...chunks.map(([type, data]) => pngChunk(type, Buffer.from(data))),
    pngChunk('IDAT', deflateSync(Buffer.from(rows.flat()))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([size, body, check]);
}
