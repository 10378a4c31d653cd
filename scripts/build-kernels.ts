import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { main } from 'assemblyscript/asc';
import { sectionsOf } from '../worker/kernels/wasm-sections.ts';

/*
 * Compiles worker/kernels/assembly, once for every engine and once with fused multiply-add for engines that have
 * relaxed SIMD, into the module worker/kernels/binaries.ts. As text in a module the code needs no path, from the
 * sources as from a bundle.
 */

const FOLDER = path.join(import.meta.dirname, '..', 'worker', 'kernels');
const DATA_SECTION = 11;

/** They share the memory of tfjs's module, so nothing of theirs may lie in it: no stack, no heap, no constants. */
const OPTIONS = [
  '--runtime=stub',
  '--importMemory',
  '--noExportMemory',
  '--sharedMemory',
  '--maximumMemory=65536',
  '--use=abort=',
  '--noAssert',
  '--optimizeLevel=3',
  '--converge',
  '--enable=threads',
  '--enable=simd',
];

const VARIANTS = { SIMD: [], RELAXED_SIMD: ['--enable=relaxed-simd'] };

const lines = ['// Made by scripts/build-kernels.ts of worker/kernels/assembly.'];
for (const [name, options] of Object.entries(VARIANTS)) {
  const binary = await compile([...OPTIONS, ...options]);
  lines.push(`export const ${name} = '${Buffer.from(binary).toString('base64')}';`);
}
await writeFile(path.join(FOLDER, 'binaries.ts'), `${lines.join('\n')}\n`);

async function compile(options: readonly string[]): Promise<Uint8Array> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kernels-'));
  try {
    const file = path.join(folder, 'kernels.wasm');
    const source = path.join(FOLDER, 'assembly', 'index.ts');
    const { error, stderr } = await main([source, ...options, '--outFile', file, '--baseDir', '/']);
    if (error !== null)
      throw new Error(`worker/kernels/assembly does not compile\n${stderr}`, { cause: error });
    const binary = await readFile(file);
    if ([...sectionsOf(binary)].some(({ id }) => id === DATA_SECTION))
      throw new Error('kernels: expected no data section');
    return binary;
  } finally {
    await rm(folder, { recursive: true });
  }
}
