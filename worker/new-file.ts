import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../core/data/read-json.ts';
import { isCounterweightError, StorageError } from '../core/errors.ts';
import { placeNewFile } from '../core/storage/object-file.ts';
import { assertAbsent } from './run-folder.ts';

/**
 * Writes a file that appears only when it is complete, and over no other.
 *
 * @throws InvalidInputError when it exists, StorageError when it cannot be written; nothing is left behind
 */
export async function writeNewFile(file: string, text: string): Promise<void> {
  const partial = `${path.resolve(file)}.partial-${randomUUID()}`;
  try {
    await mkdir(path.dirname(partial), { recursive: true });
    await writeFile(partial, text);
    await assertAbsent(file, 'file');
    await placeNewFile(partial, file);
  } catch (cause) {
    if (isCounterweightError(cause)) throw cause;
    throw new StorageError(`output "${file}": cannot be written (${systemCode(cause)})`, { file }, { cause });
  } finally {
    await rm(partial, { force: true }).catch(() => {}); // where the folder is none
  }
}
