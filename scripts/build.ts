import { chmod, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { BuildOptions } from 'esbuild';
import { build } from 'esbuild';

/*
 * Bundles what runs elsewhere than from the sources, with a list of what went into each bundle:
 *
 *   dist/counterweight.js      the command line       packages stay outside, where npm put them
 *   dist/main.js               the container's entry  likewise
 *   dist/functions/{name}.js   one Lambda handler     packages inside, minified, the .wasm files beside it
 *   dist/meta/{name}.json      esbuild's metafile of each
 *
 * A source that does not exist is left out. The first argument names another folder than dist.
 */

const ROOT = path.join(import.meta.dirname, '..');
const out = path.resolve(process.argv[2] ?? path.join(ROOT, 'dist'));

const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  format: 'esm',
  metafile: true,
} as const satisfies BuildOptions;

/** What a program imports only when it needs it lies in chunks of its own. */
const PROGRAM = {
  ...COMMON,
  target: 'node20',
  packages: 'external',
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
} as const satisfies BuildOptions;

/** Native packages that no handler may need; a test holds that none is left in a bundle. */
const NATIVE = ['sharp', '@tensorflow/tfjs-node', '@tensorflow/tfjs-node-gpu'];

const HANDLER = {
  ...COMMON,
  target: 'node22',
  minify: true,
  legalComments: 'none',
  external: NATIVE,
  // CommonJS packages inside an ES module ask for these.
  banner: {
    js: [
      `import{createRequire as __createRequire}from'node:module';`,
      `const require=__createRequire(import.meta.url),`,
      `__filename=import.meta.filename,__dirname=import.meta.dirname;`,
    ].join(''),
  },
} as const satisfies BuildOptions;

async function bundle(source: string, folder: string, options: BuildOptions): Promise<void> {
  const { metafile } = await build({ ...options, entryPoints: [source], outdir: path.join(out, folder) });
  const name = path.basename(source, '.ts');
  await writeFile(path.join(out, 'meta', `${name}.json`), JSON.stringify(metafile));
}

/** TypeScript files of a folder, not of those below it, by name without extension. */
async function sourcesIn(folder: string): Promise<string[]> {
  const entries = await readdir(path.join(ROOT, folder), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.basename(entry.name, '.ts'))
    .sort();
}

async function copyWasm(folder: string): Promise<void> {
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  const from = path.dirname(entry);
  const names = (await readdir(from)).filter((name) => name.endsWith('.wasm'));
  for (const name of names) await copyFile(path.join(from, name), path.join(folder, name));
}

await rm(out, { recursive: true, force: true });
await mkdir(path.join(out, 'meta'), { recursive: true });

const worker = await sourcesIn('worker');
for (const name of ['counterweight', 'main'].filter((program) => worker.includes(program))) {
  await bundle(`worker/${name}.ts`, '.', PROGRAM);
}
await chmod(path.join(out, 'counterweight.js'), 0o755);

const handlers = await sourcesIn('functions');
for (const name of handlers) await bundle(`functions/${name}.ts`, 'functions', HANDLER);
if (handlers.length > 0) {
  await copyWasm(path.join(out, 'functions'));
  // The nearest package.json tells Node that these are ES modules.
  await writeFile(path.join(out, 'functions', 'package.json'), '{"type":"module"}\n');
}
