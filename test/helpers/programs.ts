import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const ROOT = path.join(import.meta.dirname, '../..');

interface Programs {
  /** Of the command line. */
  readonly counterweight: string;
  /** Of the worker, as its container starts it. */
  readonly main: string;
}

/**
 * Bundles both programs beside the packages, as npm installs them: they start in half the time that their sources
 * take.
 *
 * @param folder  exists and holds nothing yet
 * @returns paths of the programs in it
 */
export async function buildPrograms(folder: string): Promise<Programs> {
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['worker/counterweight.ts', 'worker/main.ts'],
    outdir: folder,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
  });
  return { counterweight: path.join(folder, 'counterweight.js'), main: path.join(folder, 'main.js') };
}
