import { readFile } from 'node:fs/promises';
import { InvalidInputError, StorageError } from '../errors.ts';

/**
 * Content of a JSON file.
 *
 * @throws StorageError when it cannot be read, InvalidInputError when it is no JSON
 */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new StorageError(`${path}: cannot be read (${systemCode(cause)})`, { path }, { cause });
  });
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // The parser's own message repeats a piece of the file, which may be a table passed by mistake.
    throw new InvalidInputError(`${path}: expected JSON, received text that is no JSON`, { path });
  }
}

/** The file system's short code (`ENOENT`), without the path that its message holds. */
export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
}
