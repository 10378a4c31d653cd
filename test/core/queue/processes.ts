import { readFile } from 'node:fs/promises';

/** Does this process run? One that has ended and that nobody has asked about yet does not. */
export async function isAlive(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X');
  return !/^[ZX]/.test(text.slice(text.lastIndexOf(')') + 2));
}
