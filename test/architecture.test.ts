import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { build, type Metafile, transformSync } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { TESTED_ELSEWHERE } from './helpers/tested-elsewhere.ts';

const ROOT = path.join(import.meta.dirname, '..');

/** TypeScript files below a folder of the repository, by path from its root; none where the folder is absent. */
function filesBelow(folder: string, ending = '.ts'): string[] {
  if (!existsSync(path.join(ROOT, folder))) return [];
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => file.endsWith(ending) && !file.includes('node_modules'))
    .sort();
}

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

const IMPORTS = [
  /^(?:import|export)\b[^;'"]*?\bfrom\s+'([^']+)'/gm,
  /^import\s+'([^']+)'/gm,
  /\bimport\(\s*'([^']+)'/g,
  /\bimport\.meta\.resolve\(\s*'([^']+)'/g,
];

/** What a file imports, types included: paths from the root for files of ours, names as they are for packages. */
function importsOf(file: string): string[] {
  const text = read(file);
  const specifiers = IMPORTS.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1]!));
  return specifiers.map((name) => (name.startsWith('.') ? path.join(path.dirname(file), name) : name));
}

/** But for what is compiled: AssemblyScript, tested by the kernels that call it, and the schema of ONNX. */
const COMPILED =
  /^worker\/kernels\/(?:assembly\/|binaries\.ts$)|^core\/model\/formats\/onnx\/file\/onnx-pb\.ts$/;
const SOURCES = ['core', 'worker', 'functions']
  .flatMap((folder) => filesBelow(folder))
  .filter((file) => !COMPILED.test(file) && !file.endsWith('.d.ts'));
const under = (...folders: readonly string[]) =>
  SOURCES.filter((file) => folders.some((folder) => file === folder || file.startsWith(`${folder}/`)));

/** `file → import` for each import that a pattern forbids. */
function violations(files: readonly string[], forbidden: RegExp): string[] {
  return files.flatMap((file) =>
    importsOf(file).flatMap((name) => (forbidden.test(name) ? [`${file} → ${name}`] : [])),
  );
}

/** As scripts/build.ts bundles, but into memory, with the list of what went in. */
function bundle(entryPoints: readonly string[]) {
  return build({
    absWorkingDir: ROOT,
    entryPoints: [...entryPoints],
    outdir: 'unwritten',
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  });
}

describe('the import statements that these tests read', () => {
  it('are found in every form', () => {
    expect(importsOf('worker/backend.ts')).toEqual(
      expect.arrayContaining([
        'node:path',
        '@tensorflow/tfjs-core',
        'core/errors.ts',
        '@tensorflow/tfjs-backend-wasm', // import()
      ]),
    );
    expect(importsOf('worker/run-job.ts')).toContain('core/fairness/types.ts'); // import type
    expect(SOURCES.length).toBeGreaterThan(100);
  });
});

/** What runs when it is started, and is imported by nothing. */
const PROGRAMS = ['worker/counterweight.ts', 'worker/main.ts'];

describe('import directions', () => {
  it.each<[string, string[], RegExp]>([
    ['core imports neither worker nor functions', under('core'), /^(?:worker|functions)\//],
    [
      'worker imports no functions, but for the command that runs both halves in one process',
      under('worker').filter((file) => file !== 'worker/commands/serve.ts'),
      /^functions\//,
    ],
    [
      'serve meets the functions in one place',
      ['worker/commands/serve.ts'],
      /^functions\/(?!local\/server\.ts$)/,
    ],
    ['functions import no worker', under('functions'), /^worker\//],
    ['no source imports a test, an example or a script', SOURCES, /^(?:test|examples|scripts)\/|^vitest/],
    [
      'the method knows no storage',
      under('worker/bmft', 'worker/training'),
      /^(?:node:)?fs|^core\/storage|^worker\/(?:run-folder|save-run|commands)/,
    ],
    [
      'fairness, jobs and errors know no files',
      under('core/fairness', 'core/jobs', 'core/errors.ts'),
      /^(?:node:)?fs/,
    ],
    [
      'tensors in core are for tally, inputs and model only',
      under('core').filter((file) => !/^core\/(?:model\/|fairness\/tally|data\/(?:inputs|types))/.test(file)),
      /^@tensorflow\//,
    ],
    [
      'the AWS SDK is for the S3 store and the Batch queue only',
      SOURCES.filter((file) => !/^core\/(?:storage\/s3-store|queue\/batch-queue)\.ts$/.test(file)),
      /^@aws-sdk\//,
    ],
  ])('%s', (_, files, forbidden) => {
    expect(violations(files, forbidden)).toEqual([]);
  });

  it.each([
    ['fairness, jobs and errors', under('core/fairness', 'core/jobs', 'core/errors.ts')],
    ['mask finding and training', under('worker/bmft', 'worker/training')],
  ])('%s reach no file system over any chain of imports', async (_, entryPoints) => {
    const { inputs } = (await bundle(entryPoints)).metafile;
    const readers = Object.entries(inputs).filter(([, { imports }]) =>
      imports.some(({ path: name }) => /^(?:node:)?fs\b/.test(name)),
    );
    expect(readers.map(([file]) => file)).toEqual([]);
  });

  it('the environment is read by the two programs and functions/lib/env.ts only', () => {
    const readers = SOURCES.filter((file) => /\bprocess\.env\b|\bgetenv\b/.test(read(file)));
    const allowed = [...PROGRAMS, 'functions/lib/env.ts'];
    expect(readers.filter((file) => !allowed.includes(file))).toEqual([]);
  });
});

describe('importing every module of core, functions and worker', () => {
  it('prints nothing, starts no backend, adds no handler and lets the process end', async () => {
    const modules = SOURCES.filter((file) => !PROGRAMS.includes(file));
    const script = `
      const { writeSync } = await import('node:fs');
      const before = process.eventNames().length;
      for (const file of ${JSON.stringify(modules)}) await import('./' + file);
      const tf = await import('@tensorflow/tfjs-core');
      const { registryFactory, backendName = null } = tf.engine();
      const handlers = process.eventNames().length - before;
      writeSync(1, JSON.stringify({ backends: Object.keys(registryFactory), backendName, handlers }));
    `;
    const args = ['--import', 'tsx', '--input-type', 'module', '--eval', script];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ backends: [], backendName: null, handlers: 0 });
  });
});

describe('tests', () => {
  const isTypesOnly = (file: string) =>
    transformSync(read(file), {
      loader: 'ts',
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    }).code.trim() === '';

  it('lie at the mirrored path of every source that is more than types', () => {
    const missing = SOURCES.filter(
      (file) =>
        !existsSync(path.join(ROOT, 'test', file.replace(/\.ts$/, '.test.ts'))) &&
        !(file in TESTED_ELSEWHERE) &&
        !isTypesOnly(file),
    );
    expect(missing).toEqual([]);
  });

  it('that have a source elsewhere name one that exists, and are needed', () => {
    for (const [source, test] of Object.entries(TESTED_ELSEWHERE)) {
      expect(existsSync(path.join(ROOT, source)), source).toBe(true);
      expect(existsSync(path.join(ROOT, test.split(': ')[0]!)), test).toBe(true);
      expect(existsSync(path.join(ROOT, 'test', source.replace(/\.ts$/, '.test.ts'))), source).toBe(false);
    }
  });

  it('share helpers whose import registers nothing: a process imports them once for many files', () => {
    const helpers = filesBelow('test').filter((file) => !file.endsWith('.test.ts'));
    const registers = /^(?:vi\.\w|(?:before|after)(?:All|Each)\(|(?:export )?const .* = use[A-Z]\w*\()/m;
    expect(helpers.filter((file) => registers.test(read(file)))).toEqual([]);
  });
});

describe('file names', () => {
  it('are in kebab-case', () => {
    const files = ['core', 'worker', 'functions', 'infra', 'scripts', 'examples', 'test', 'docs'].flatMap(
      (folder) => filesBelow(folder, ''),
    );
    const isKebab = (name: string) => name === 'README.md' || /^[a-z0-9]+(?:[-.][a-z0-9]+)*$/.test(name);
    expect(
      files.filter((file) => !isKebab(path.basename(file)) && !path.basename(file).startsWith('Dockerfile')),
    ).toEqual([]);
  });
});

/** A bundle and the chunks that it loads at once; what it imports on demand is not among them. */
function startOf({ outputs }: Metafile, entry: string) {
  const names = new Set([entry]);
  for (const name of names) {
    const loaded = outputs[name]!.imports.filter(
      ({ kind, external }) => kind === 'import-statement' && !external,
    );
    for (const { path: chunk } of loaded) names.add(chunk); // and is followed by this very loop
  }
  return [...names].map((name) => outputs[name]!);
}

describe('the bundle of the command line', () => {
  /** Bytes that are read at every start, packages outside. */
  const MOST_BYTES = 400_000;
  let outputs: Metafile['outputs'][string][] = [];
  let inputs: string[] = [];

  beforeAll(async () => {
    outputs = startOf((await bundle(['worker/counterweight.ts'])).metafile, 'unwritten/counterweight.js');
    inputs = outputs.flatMap((output) => Object.keys(output.inputs));
  });

  it('starts from sources of core and worker only, with the version from package.json', () => {
    expect(inputs.filter((file) => !/^(?:core|worker)\//.test(file))).toEqual(['package.json']);
    expect(inputs).toContain('worker/commands/mitigate.ts');
  });

  it('needs no package that users do not install, nor any of AWS', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    const imports = outputs.flatMap((output) => output.imports.filter(({ external }) => external));
    const names = imports
      .map(({ path: name }) => name)
      .filter((name) => !name.startsWith('node:'))
      .map((name) =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    expect([...new Set(names)].filter((name) => !(name in dependencies))).toEqual([]);
    expect(names.filter((name) => name.startsWith('@aws-sdk/'))).toEqual([]);
  });

  it('stays small', () => {
    expect(outputs.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(MOST_BYTES);
  });
});
