import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uploadKey } from '../../core/jobs/keys.ts';
import { buildInto, makeFolder, ROOT, removeFolder } from './packaging.ts';

const MINUTES = 60_000;
const MOST_BYTES = 6e6;
const WASM = [
  'tfjs-backend-wasm-simd.wasm',
  'tfjs-backend-wasm-threaded-simd.wasm',
  'tfjs-backend-wasm.wasm',
];

const HANDLERS = readdirSync(path.join(ROOT, 'functions'), { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => path.basename(entry.name, '.ts'));

let folder = '';
beforeAll(async () => {
  folder = await makeFolder();
  await buildInto(folder);
}, 5 * MINUTES);
afterAll(() => removeFolder(folder));

const inDist = (...names: string[]) => path.join(folder, 'dist', ...names);
const metafile = (name: string) =>
  JSON.parse(readFileSync(inDist('meta', `${name}.json`), 'utf8')) as Metafile;
const size = (...names: string[]) => statSync(inDist(...names)).size;

describe('the build', () => {
  it('makes a bundle and a metafile of each program and of each handler', () => {
    const names = ['counterweight', 'main', ...HANDLERS];
    expect(readdirSync(inDist('meta')).sort()).toEqual(names.map((name) => `${name}.json`).sort());
    expect(readdirSync(inDist('functions')).sort()).toEqual(
      [...HANDLERS.map((name) => `${name}.js`), ...WASM, 'package.json'].sort(),
    );
    for (const name of ['counterweight', 'main']) expect(size(`${name}.js`), name).toBeGreaterThan(0);
  });

  it('leaves the packages of programs outside', () => {
    for (const name of ['counterweight', 'main']) {
      const packages = Object.keys(metafile(name).inputs).filter((input) => input.includes('node_modules'));
      expect(packages, name).toEqual([]);
    }
  });
});

describe.each(HANDLERS)('the bundle of %s', (name) => {
  it('holds nothing of worker, and no package that only training needs', () => {
    const inputs = Object.keys(metafile(name).inputs);
    expect(inputs).toContain(`functions/${name}.ts`);
    expect(inputs.filter((input) => /^worker\/|tfjs-backend-cpu|tfjs-node|tfjs-data/.test(input))).toEqual(
      [],
    );
  });

  it('needs nothing beside it but Node', () => {
    const [output] = Object.values(metafile(name).outputs);
    const outside = output!.imports.filter(({ external }) => external).map((entry) => entry.path);
    const packages = outside.filter((specifier) => !/^node:|^[a-z_]+(?:\/promises)?$/.test(specifier));
    expect(packages).toEqual([]);
    expect(outside).not.toContain('sharp');
  });

  it('is under 6 MB with the WebAssembly beside it', () => {
    const bytes = [`${name}.js`, ...WASM].reduce((sum, file) => sum + size('functions', file), 0);
    expect(bytes).toBeLessThan(MOST_BYTES);
  });
});

describe('a cold start', () => {
  const KEY = uploadKey('x', 'scores.csv');
  const TABLE = ['y,p,sex', '1,0.9,F', '1,0.2,F', '0,0.1,F', '1,0.8,M', '1,0.7,M', '0,0.6,M', ''].join('\n');
  let bucket: Server;

  /** Answers as S3 does for one object; it has nothing else. */
  beforeAll(async () => {
    bucket = createServer((request, response) => {
      if (!request.url!.startsWith(`/bucket/${KEY}`)) return response.writeHead(404).end();
      response.writeHead(200, {
        'content-length': Buffer.byteLength(TABLE),
        'content-type': 'text/csv',
        etag: '"1"',
        'last-modified': new Date(0).toUTCString(),
      });
      return response.end(request.method === 'HEAD' ? undefined : TABLE);
    });
    await new Promise<void>((resolve) => bucket.listen(0, '127.0.0.1', resolve));
    await writeFile(inDist('functions', 'empty.js'), 'export const handler = async () => ({});\n');
    await writeFile(inDist('functions', 'call.js'), CALL);
  });
  afterAll(() => new Promise((resolve) => bucket.close(resolve)));

  /** A new process that loads a handler and calls it once, as Lambda's runtime does. */
  const CALL = `
    import { performance } from 'node:perf_hooks';
    const { handler } = await import('./' + process.argv[2]);
    const answer = await handler(JSON.parse(process.argv[3]));
    const { user, system } = process.cpuUsage();
    const times = { wallMs: performance.now(), cpuMs: (user + system) / 1000 };
    process.stdout.write('\\n' + JSON.stringify({ ...times, answer }), () => process.exit(0));
  `;

  interface Call {
    readonly wallMs: number;
    readonly cpuMs: number;
    readonly answer: { readonly statusCode?: number; readonly body?: string };
  }

  const BODY = {
    kind: 'audit',
    predictions: KEY,
    columns: { label: 'y', score: 'p', sensitiveFeatures: ['sex'] },
  };
  const EVENT = {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(BODY),
    requestContext: { requestId: 'r' },
  };

  async function call(file: string): Promise<Call> {
    const { port } = bucket.address() as AddressInfo;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [inDist('functions', 'call.js'), file, JSON.stringify(EVENT)],
      {
        env: {
          BUCKET: 'bucket',
          JOB_QUEUE_ARN: 'arn',
          CPU_JOB_QUEUE_ARN: 'arn',
          JOB_DEFINITION_GPU_ARN: 'arn',
          JOB_DEFINITION_CPU_ARN: 'arn',
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: 'a',
          AWS_SECRET_ACCESS_KEY: 'a',
          AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
        },
      },
    );
    return JSON.parse(stdout.trim().split('\n').at(-1)!);
  }

  async function bestOfThree(file: string): Promise<Call> {
    const calls = [await call(file), await call(file), await call(file)];
    return calls.sort((a, b) => a.wallMs - b.wallMs)[0]!;
  }

  it(
    'answers with the first metric within a second',
    async () => {
      const empty = await bestOfThree('empty.js');
      const audit = await bestOfThree('create-audit.js');
      const ratio = audit.wallMs / empty.wallMs;
      const show = (ms: number) => `${ms.toFixed(0)} ms`;
      process.stdout.write(
        `cold start to the first metric: ${show(audit.wallMs)} (CPU ${show(audit.cpuMs)}), ` +
          `empty handler ${show(empty.wallMs)}, ratio ${ratio.toFixed(1)}\n`,
      );
      expect(audit.answer).toMatchObject({ statusCode: 200 });
      const { features } = JSON.parse(audit.answer.body!);
      // TPR of F is 1 of 2, of M 2 of 2.
      expect(features[0].disparities.equalOpportunityDifference.value).toBe(1 - 1 / 2);
      // On a busy machine the clock also counts what others compute; the CPU's own time does not.
      expect(Math.min(audit.wallMs, audit.cpuMs)).toBeLessThan(1000);
    },
    MINUTES,
  );
});
