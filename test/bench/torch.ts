import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Debian's package is for Debian's interpreter, which need not be the first on the path. */
const INTERPRETERS = ['python3', '/usr/bin/python3'];

/** A Python that has PyTorch; null where none does. */
export async function findTorch(): Promise<string | null> {
  for (const python of INTERPRETERS) {
    const found = await promisify(execFile)(python, ['-c', 'import torch']).then(
      () => true,
      () => false,
    );
    if (found) return python;
  }
  return null;
}
