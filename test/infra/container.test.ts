import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordKey, resultKey, uploadKey } from '../../core/jobs/keys.ts';
import { jobRecordSchema } from '../../core/jobs/record.ts';
import { predictionsAuditSchema } from '../../core/jobs/schema.ts';
import { makeDirectoryStore } from '../../core/storage/directory-store.ts';
import { type Copy, commandOf, copiesOf, environmentOf, parseStages, type Stage } from './dockerfile.ts';
import { makeFolder, ROOT, removeFolder } from './packaging.ts';

const MINUTES = 60_000;
const STAGES = parseStages();
const stage = (name: string): Stage => STAGES.find((candidate) => candidate.name === name)!;

/** Does what a COPY says, from one folder to another. */
async function copy({ sources, target }: Copy, from: string, to: string): Promise<void> {
  for (const source of sources) {
    const place =
      sources.length > 1 || target.endsWith('/') ? path.join(target, path.basename(source)) : target;
    await cp(path.join(from, source.replace(/^\/app\//, '')), path.join(to, place), { recursive: true });
  }
}

/** As `npm ci --omit=dev` leaves it, by links to what is installed here. */
async function linkPackages(folder: string): Promise<void> {
  const lock = JSON.parse(await readFile(path.join(ROOT, 'package-lock.json'), 'utf8'));
  const packages = lock.packages as Record<string, { dev?: boolean }>;
  const names = Object.keys(packages).filter((name) => /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(name));
  for (const name of names.filter((each) => packages[each]!.dev !== true)) {
    if (!existsSync(path.join(ROOT, name))) continue; // for another platform
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await symlink(path.join(ROOT, name), path.join(folder, name));
  }
}

/** There is no Docker engine where these tests run, so they do what the Dockerfile says in folders. */
describe('what the Dockerfile builds', () => {
  let folder = '';
  const at = (...names: string[]) => path.join(folder, ...names);

  beforeAll(async () => {
    folder = await makeFolder();
    for (const each of copiesOf(stage('build').lines)) await copy(each, ROOT, at('build'));
    await symlink(path.join(ROOT, 'node_modules'), at('build/node_modules'));
    const script = stage('build').lines.at(-1)!.replace('RUN ', '');
    await promisify(execFile)('sh', ['-c', script], { cwd: at('build') });
    await linkPackages(at('packages'));
  }, 5 * MINUTES);
  afterAll(() => removeFolder(folder));

  async function assemble(name: string): Promise<void> {
    const copies = copiesOf(stage(name).lines).filter(({ from }) => from === 'build');
    expect(copies.length).toBeGreaterThan(0);
    for (const each of copies) await copy(each, at('build'), at(name));
    await cp(path.join(ROOT, 'package.json'), at(name, 'package.json'));
    await symlink(at('packages/node_modules'), at(name, 'node_modules'));
  }

  /** Runs a target's command over a directory store. @returns exit code and what it wrote to stderr */
  async function run(name: string, environment: Record<string, string>) {
    const [program, ...args] = commandOf(stage(name));
    expect(program).toBe('node');
    const variables = { ...environmentOf(stage(name)), STORE_ROOT: at('store'), ...environment };
    const worker = spawn(process.execPath, args, { cwd: at(name), env: { PATH: '', ...variables } });
    const stderr = text(worker.stderr);
    const [code] = await once(worker, 'exit');
    return { code, stderr: await stderr };
  }

  it(
    'runs a job as the CPU target, from nothing but what that holds',
    async () => {
      await assemble('cpu');
      const store = makeDirectoryStore(at('store'));
      const predictions = uploadKey('x', 'scores.csv');
      const rows = ['1,0.9,F', '1,0.2,F', '0,0.1,F', '1,0.8,M', '1,0.7,M', '0,0.6,M'];
      await store.write(predictions, `${['y,p,sex', ...rows].join('\n')}\n`);
      const columns = { label: 'y', score: 'p', sensitiveFeatures: ['sex'] };
      const time = new Date(0).toISOString();
      const record = {
        schemaVersion: 1,
        jobId: 'job-1',
        request: predictionsAuditSchema.parse({ kind: 'audit', predictions, columns }),
        status: 'queued',
        createdAt: time,
        updatedAt: time,
        queueIds: ['q'],
      };
      await store.write(recordKey('job-1'), JSON.stringify(record));
      expect(await run('cpu', { JOB_ID: 'job-1' })).toEqual({ code: 0, stderr: '' });
      const read = async (key: string) => JSON.parse(Buffer.from((await store.read(key))!.body).toString());
      expect(jobRecordSchema.parse(await read(recordKey('job-1'))).status).toBe('succeeded');
      const { features } = await read(resultKey('job-1', 'audit.json'));
      // TPR of F is 1 of 2, of M 2 of 2.
      expect(features[0].disparities.equalOpportunityDifference.value).toBe(1 - 1 / 2);
    },
    MINUTES,
  );

  it('does not run the GPU target where TensorFlow is missing, and says so', async () => {
    await assemble('gpu');
    expect(environmentOf(stage('gpu')).BACKEND).toBe('tensorflow');
    const store = makeDirectoryStore(at('store'));
    const record = (await store.read(recordKey('job-1')))!;
    const queued = { ...JSON.parse(Buffer.from(record.body).toString()), jobId: 'job-2', status: 'queued' };
    await store.write(recordKey('job-2'), JSON.stringify(queued));
    const { code } = await run('gpu', { JOB_ID: 'job-2' });
    expect(code).toBe(75);
    const { error } = JSON.parse(Buffer.from((await store.read(recordKey('job-2')))!.body).toString());
    expect(error.code).toBe('BACKEND_UNAVAILABLE');
  });
});
