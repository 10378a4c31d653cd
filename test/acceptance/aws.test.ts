import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { RunRecord } from '../../core/jobs/run-record.ts';
import type { JobView } from '../../functions/lib/job-view.ts';
import { makeRandom } from '../../worker/random.ts';
import { useCloud } from '../helpers/cloud.ts';
import type { Delivery } from '../helpers/event-bus.ts';
import { useTempFolder } from '../helpers/files.ts';
import { describeWithMoto } from '../helpers/moto.ts';
import { writeScenario } from './ham-data.ts';

/*
 * The deployment end to end on HAM10000: an object is uploaded, the trigger makes a job, Batch starts the worker,
 * results come out of GET /v1/jobs/{id}; then the same with everything going wrong that may. Every job over the same
 * data must publish the same bytes. A subset and few settings by default; ACCEPTANCE=full takes all of both.
 */

const SHARED = path.join(import.meta.dirname, '../../../shared');
const DATA = path.join(SHARED, 'data/ham10000-64');
const MODELS = path.join(SHARED, 'models');

/** The data is not part of this repository; where it is absent the tests count as skipped. */
const isSkipped = !existsSync(DATA);
const isFull = process.env.ACCEPTANCE === 'full';

const ROWS = isFull ? { external: 898, test: 877 } : { external: 150, test: 90 };
const QUICK = {
  mask: { percentiles: [50, 80] },
  body: { epochs: 1, disparityWeights: [1] },
  head: { disparityWeights: [0.1], iterations: 20 },
  selection: { checkpoints: [1] },
};
const LIMIT_MS = isFull ? 3_600_000 : 180_000;
const KILLS = 10;
/** Batch gives up after five attempts. */
const MOST_KILLS_OF_ONE_JOB = 4;

const FOLDER = 'uploads/ham/';
/** `counterweight.json` beside the data: keys are paths from its own folder. */
const CONFIG = {
  kind: 'mitigation',
  model: 'model',
  manifest: 'manifest.csv',
  columns: { image: 'file', label: 'label', sensitiveFeatures: ['group'], subject: 'lesion', split: 'split' },
  ...(isFull ? {} : { options: QUICK }),
} as const;
/** The same job as one asks for it over the API. */
const REQUEST = { ...CONFIG, model: `${FOLDER}model`, manifest: `${FOLDER}manifest.csv` } as const;

describeWithMoto('HAM10000 through the deployment', (moto) => {
  if (isSkipped) {
    test.skip('needs ../shared/data/ham10000-64', () => {});
    return;
  }
  const cloud = useCloud(moto);
  const local = useTempFolder();
  const random = makeRandom(20);
  let undisturbed: Map<string, Buffer>;
  let durationMs = 0;
  let submissions = 0;

  beforeAll(async () => {
    await mkdir(local.at('ham'));
    const manifest = await writeScenario(DATA, 'artefact', local.at('ham'));
    await uploadData(await subsetOf(manifest));
  });
  afterEach(async () => {
    cloud.bus.plan(() => 'once');
    cloud.s3.reset();
    await cloud.limitDisk(null);
    vi.useRealTimers();
    await cloud.bus.settle();
    expect(cloud.bus.deadLetters).toEqual([]);
  });

  /** Header and the first rows of each split. */
  async function subsetOf(manifest: string): Promise<string[]> {
    const [header, ...rows] = (await readFile(manifest, 'utf8')).trimEnd().split('\n');
    const of = (split: keyof typeof ROWS) =>
      rows.filter((row) => row.endsWith(`,${split}`)).slice(0, ROWS[split]);
    return [header!, ...of('external'), ...of('test')];
  }

  /** All but the configuration, which comes last as the documentation asks. */
  async function uploadData(lines: readonly string[]): Promise<void> {
    for (const line of lines.slice(1)) {
      const [file] = line.split(',');
      await cloud.upload(`${FOLDER}${file}`, await readFile(path.join(local.at('ham'), file!)));
    }
    await cloud.upload(`${FOLDER}manifest.csv`, `${lines.join('\n')}\n`);
    const model = path.join(MODELS, 'ham-artefact-plain');
    for (const name of await readdir(model)) {
      await cloud.upload(`${FOLDER}model/${name}`, await readFile(path.join(model, name)));
    }
    const preprocess = await readFile(path.join(MODELS, 'preprocess.json'));
    await cloud.upload(`${FOLDER}model/preprocess.json`, preprocess);
  }

  /** A job over the uploaded data, another one at every call. */
  async function submit(changes: object = {}): Promise<string> {
    submissions += 1;
    const { status, body } = await cloud.call<JobView>('create-job', {
      headers: { 'idempotency-key': `acceptance-${submissions}` },
      body: { ...REQUEST, ...changes },
    });
    expect(status).toBe(202);
    return body.jobId;
  }

  async function jobs(): Promise<JobView[]> {
    const { body } = await cloud.call<{ jobs: JobView[] }>('list-jobs', { method: 'GET' });
    return body.jobs;
  }

  async function untilStarted(): Promise<string> {
    await vi.waitUntil(async () => (await jobs()).length > 0, { timeout: 20_000, interval: 100 });
    return (await jobs())[0]!.jobId;
  }

  /** The job succeeds, with the very files of the undisturbed one. */
  async function expectSame(jobId: string): Promise<void> {
    const { status, outcome, error } = await cloud.untilEnd(jobId);
    expect({ status, outcome, error }).toEqual({
      status: 'succeeded',
      outcome: 'improved',
      error: undefined,
    });
    const results = await cloud.results(jobId);
    expect([...results.keys()]).toEqual([...undisturbed.keys()]);
    const differing = [...results].filter(([name, bytes]) => !bytes.equals(undisturbed.get(name)!));
    expect(differing.map(([name]) => name)).toEqual([]);
  }

  /** Id under which Batch runs the last part of a job, once it runs. */
  async function untilRunning(jobId: string): Promise<string | null> {
    for (;;) {
      const id = (await cloud.record(jobId)).queueIds.at(-1);
      const status = id && cloud.batch.detail(id)?.status;
      if (status === 'RUNNING') return id!;
      if (status === 'SUCCEEDED' || status === 'FAILED') return null;
      await sleep(20);
    }
  }

  /** Takes the machine away at random points of a job. @returns how often */
  async function killAtRandom(jobId: string, most: number): Promise<number> {
    for (let kills = 0; kills < most; kills += 1) {
      const id = await untilRunning(jobId);
      if (id === null) return kills;
      await sleep(random.next() * durationMs);
      if (cloud.batch.detail(id)!.status !== 'RUNNING') return kills;
      cloud.batch.loseHost(id);
      await vi.waitUntil(() => cloud.batch.detail(id)!.attempts!.length > kills, { timeout: 10_000 });
    }
    return most;
  }

  test('an uploaded configuration becomes a job, whose results the API links to', {
    timeout: LIMIT_MS,
  }, async () => {
    await cloud.bus.settle();
    expect(await jobs()).toEqual([]); // images, table and model alone start nothing
    const startedAt = performance.now();
    await cloud.upload(`${FOLDER}counterweight.json`, JSON.stringify(CONFIG));
    const jobId = await untilStarted();
    const seen: JobView[] = [];
    const view = await cloud.untilEnd(jobId, (answer) => seen.push(answer));
    durationMs = performance.now() - startedAt;
    expect(view).toMatchObject({ kind: 'mitigation', status: 'succeeded', outcome: 'improved' });
    const stages = new Set(seen.flatMap(({ progress }) => (progress ? [progress.stage] : [])));
    expect(stages.size).toBeGreaterThan(3);
    undisturbed = await cloud.results(jobId);
    for (const [name, link] of Object.entries(view.links!)) {
      const linked = Buffer.from(await (await fetch(link)).arrayBuffer());
      expect(linked.equals(undisturbed.get(name)!), name).toBe(true);
    }
    expect(Object.keys(view.links!).sort()).toEqual([...undisturbed.keys()]);
    expect([...undisturbed.keys()]).toEqual(
      expect.arrayContaining([
        'audit-after.json',
        'audit-before.json',
        'check.json',
        'decision.json',
        'mask.safetensors',
        'model/model.json',
        'report.html',
      ]),
    );
    const { outcome } = JSON.parse(undisturbed.get('run.json')!.toString()) as RunRecord;
    expect(outcome.after!).toBeLessThan(outcome.before!);
    expect(await jobs()).toHaveLength(1);
    expect(cloud.batch.submissions).toHaveLength(1);
  });

  test('events that come twice, late or never change nothing', { timeout: LIMIT_MS }, async () => {
    const fates: Delivery[] = ['once', 'twice', 'late', 'lost'];
    cloud.bus.plan(() => fates[random.integer(fates.length)]!);
    const before = cloud.batch.submissions.length;
    for (let time = 0; time < 5; time += 1) cloud.tell(`${FOLDER}counterweight.json`); // of the upload above
    const jobId = await submit();
    await expectSame(jobId);
    await cloud.bus.settle();
    expect((await cloud.job(jobId)).status).toBe('succeeded');
    expect(cloud.batch.submissions.length - before).toBe(1);
  });

  test(`a worker killed at ${KILLS} random points goes on to the same bytes`, {
    timeout: LIMIT_MS,
  }, async () => {
    let kills = 0;
    while (kills < KILLS) {
      const jobId = await submit();
      kills += await killAtRandom(jobId, Math.min(MOST_KILLS_OF_ONE_JOB, KILLS - kills));
      await expectSame(jobId);
    }
  });

  test('with S3 failing every third call', { timeout: LIMIT_MS }, async () => {
    const failures = [
      { status: 503, code: 'SlowDown' },
      'cut',
      'lose-answer',
      { status: 500, code: 'InternalError' },
    ] as const;
    let failed = 0;
    cloud.s3.reset(({ number }) => {
      if (number % 3 !== 0) return 'pass';
      failed += 1;
      return failures[(number / 3) % failures.length]!;
    });
    const jobId = await submit();
    await expectSame(jobId);
    expect(failed).toBeGreaterThan(100);
    await expectSame(jobId);
  });

  test('on a full disk it tries again, and publishes nothing half', { timeout: LIMIT_MS }, async () => {
    await cloud.limitDisk(64); // KiB, less than the weights have
    const jobId = await submit();
    const id = await vi.waitUntil(async () => (await cloud.record(jobId)).queueIds[0], { timeout: 5000 });
    await vi.waitUntil(() => cloud.batch.detail(id)!.attempts!.length > 0, { timeout: 60_000 });
    expect(cloud.batch.detail(id)!.attempts![0]).toMatchObject({ container: { exitCode: 75 } });
    expect(await cloud.results(jobId)).toEqual(new Map());
    await cloud.limitDisk(null);
    await expectSame(jobId);
  });

  test('a sweep over three processes finds what one finds', { timeout: LIMIT_MS }, async () => {
    const before = cloud.batch.submissions.length;
    const jobId = await submit({ shards: 3 });
    await expectSame(jobId);
    const [shards, reduction, ...others] = cloud.batch.submissions.slice(before);
    expect(others).toEqual([]);
    expect(shards!.arrayProperties).toEqual({ size: 3 });
    expect(reduction!.dependsOn).toEqual([{ jobId: (await cloud.record(jobId)).queueIds[0] }]);
  });

  test('a job that Batch gave up is failed with a sentence, though no event came', {
    timeout: LIMIT_MS,
  }, async () => {
    cloud.bus.plan(() => 'lost');
    const jobId = await submit();
    const kills = 5;
    for (let time = 0; time < kills; time += 1) {
      const id = (await untilRunning(jobId))!;
      cloud.batch.loseHost(id);
      await vi.waitUntil(() => cloud.batch.detail(id)!.attempts!.length > time, { timeout: 10_000 });
    }
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 }); // the queue is asked after a minute
    expect(await cloud.job(jobId)).toMatchObject({
      status: 'failed',
      error: { code: 'HOST_LOST', message: expect.stringContaining('can be submitted again') },
    });
    expect(await cloud.results(jobId)).toEqual(new Map());
  });

  test('a job that is cancelled while it runs ends and publishes nothing', {
    timeout: LIMIT_MS,
  }, async () => {
    const jobId = await submit();
    const id = (await untilRunning(jobId))!;
    await vi.waitUntil(async () => (await cloud.job(jobId)).progress !== undefined, { timeout: 60_000 });
    const { status } = await cloud.call('cancel-job', { method: 'DELETE', params: { id: jobId } });
    expect(status).toBe(200);
    await vi.waitUntil(() => cloud.batch.detail(id)!.status === 'FAILED', { timeout: 20_000 });
    await cloud.bus.settle();
    expect((await cloud.job(jobId)).status).toBe('cancelled');
    expect(await cloud.results(jobId)).toEqual(new Map());
  });
});
