import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Upload } from '../../../core/jobs/uploads.ts';
import { tablePreprocess, writeImageSet, writeInkModel, writeTableSet } from '../../helpers/made-files.ts';
import { tableOnnx, testScores } from '../../helpers/table-onnx.ts';
import { QUICK_MITIGATION } from '../../helpers/worker-process.ts';
import { AUDIT, COLUMNS, type Job, jobWith, jsonOf, post, put, TABLE, until, useServers } from './serving.ts';

const { makeRoot, serve, spawnServe } = useServers();

/** Made pictures and a model that listens to their ink, as somebody would upload them. */
async function makeImageRoot(): Promise<string> {
  const root = await makeRoot();
  await writeImageSet(path.join(root, 'uploads/set'));
  await writeInkModel(path.join(root, 'uploads/set/model'));
  return root;
}

const SOURCE = {
  model: 'uploads/set/model',
  manifest: 'uploads/set/labels.csv',
  columns: {
    image: 'file',
    label: 'malignant',
    sensitiveFeatures: ['ink'],
    subject: 'patient',
    split: 'part',
  },
  preprocess: 'unit',
};
/** A setting for each percentile and one more, each with a checkpoint of its own. */
const mitigationOf = (percentiles: readonly number[]) => ({
  ...SOURCE,
  kind: 'mitigation',
  options: {
    mask: { percentiles },
    body: { epochs: 2, learningRates: [0.03], disparityWeights: [1] },
    head: { disparityWeights: [0.1], iterations: 20 },
    selection: { checkpoints: [1, 2] },
  },
});

async function jobsOf(url: string): Promise<Job[]> {
  return (await jsonOf<{ jobs: Job[] }>(fetch(`${url}/v1/jobs`))).jobs;
}

const resultOf = (root: string, { jobId }: Pick<Job, 'jobId'>, name: string) =>
  readFile(path.join(root, 'results', jobId, name));

/** When each file of a folder was last written. */
async function timesIn(folder: string): Promise<Record<string, number>> {
  const names = await readdir(folder);
  const times = names.map(async (name) => [name, (await stat(path.join(folder, name))).mtimeMs] as const);
  return Object.fromEntries(await Promise.all(times));
}

/** Names of saved files that are seen with another time before `end`; once the job has ended they are gone. */
async function rewrittenUntil(
  end: Promise<unknown>,
  { folder, saved }: { readonly folder: string; readonly saved: Readonly<Record<string, number>> },
): Promise<string[]> {
  const rewritten = new Set<string>();
  let isOver = false;
  const over = end.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const times = await timesIn(folder).catch(() => ({}));
    for (const [name, time] of Object.entries(times))
      if (name in saved && saved[name] !== time) rewritten.add(name);
    await sleep(20);
  }
  await over;
  return [...rewritten];
}

describe('jobs of a model', () => {
  it('run to their reports, and a mitigated model downloads as the worker wrote it', async () => {
    const root = await makeImageRoot();
    const { url } = await serve({ root });
    const audit = await jsonOf<Job>(
      post(`${url}/v1/audits`, { ...SOURCE, kind: 'model-audit', only: 'test' }),
    );
    const mitigation = await jsonOf<Job>(post(`${url}/v1/jobs`, mitigationOf([50, 80])));
    const { links: auditLinks = {} } = await jobWith(url, audit.jobId, 'succeeded');
    // Ten samples of each group and label in the test part.
    expect(await (await fetch(`${auditLinks['report.html']}&inline=1`)).text()).toContain(
      '40 samples audited',
    );
    const { links = {} } = await jobWith(url, mitigation.jobId, 'succeeded');
    const model = await fetch(links['model/model.json']!);
    expect(model.headers.get('content-disposition')).toContain('filename="model.json"');
    expect(Buffer.from(await model.arrayBuffer())).toEqual(
      await resultOf(root, mitigation, 'model/model.json'),
    );
    const weights = await fetch(links['model/weights.bin']!);
    const uploaded = await stat(path.join(root, 'uploads/set/model/weights.bin'));
    expect((await weights.arrayBuffer()).byteLength).toBe(uploaded.size);
    expect((await fetch(`${links['report.html']}&inline=1`)).status).toBe(200);
  });

  it('take an ONNX model that was uploaded by a form, and give it back by its name, as onnxruntime scores it', async () => {
    const root = await makeRoot();
    const { url } = await serve({ root });
    const table = await readFile(await writeTableSet(root));
    const files = {
      ...tableOnnx(),
      'rows.csv': table,
      'preprocess.json': Buffer.from(JSON.stringify(tablePreprocess)),
    };
    const keys: Record<string, string> = {};
    let uploadId: string | undefined;
    for (const [name, bytes] of Object.entries(files)) {
      const upload = await jsonOf<Upload>(post(`${url}/v1/uploads`, { name, bytes: bytes.length, uploadId }));
      const form = new FormData();
      for (const [field, value] of Object.entries(upload.form.fields)) form.append(field, value);
      form.append('file', new Blob([new Uint8Array(bytes)]));
      expect((await fetch(upload.form.url, { method: 'POST', body: form })).status).toBe(204);
      uploadId = upload.uploadId;
      keys[name] = upload.key;
    }
    const { model: _, manifest: __, preprocess: ___, ...request } = QUICK_MITIGATION;
    const source = { model: keys['net.onnx'], manifest: keys['rows.csv'] };
    const mitigation = await jsonOf<Job>(post(`${url}/v1/jobs`, { ...request, ...source }));
    const { links = {} } = await jobWith(url, mitigation.jobId, 'succeeded');
    const fetched = async (name: string) => new Uint8Array(await (await fetch(links[name]!)).arrayBuffer());
    const answer = await fetch(links['model/net.onnx']!);
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(answer.headers.get('content-disposition')).toContain('filename="net.onnx"');
    const tuned = {
      'net.onnx': new Uint8Array(await answer.arrayBuffer()),
      'net.onnx.data': await fetched('model/net.onnx.data'),
    };
    expect(Object.keys(links)).toContain('model/preprocess.json');
    expect(tuned).not.toEqual(tableOnnx());
    const { threshold } = JSON.parse(Buffer.from(await fetched('run.json')).toString());
    const { features } = JSON.parse(Buffer.from(await fetched('audit-after.json')).toString());
    const scores = await testScores(tuned, table.toString());
    for (const { group, rates } of features[0].groups) {
      const own = scores.filter((row) => row.group === group);
      const selected = own.filter(({ score }) => score >= threshold.value);
      expect(rates.selectionRate).toMatchObject({ numerator: selected.length, support: own.length });
    }
    expect(features[0].groups).toHaveLength(2);
  });

  it('go on from their checkpoints after the server was killed, and end with the same bytes, once', async () => {
    // So many that there is time to kill the server before the last.
    const mitigation = mitigationOf([10, 20, 30, 40, 50, 60, 70, 80, 90]);
    const undisturbed = await makeImageRoot();
    const killed = await makeImageRoot();
    const [calm, first] = await Promise.all([
      serve({ root: undisturbed, workerEnvironment: { THREADS: '1' } }),
      spawnServe(killed),
    ]);
    const [one, other] = await Promise.all(
      [calm.url, first.url].map((url) => jsonOf<Job>(post(`${url}/v1/jobs`, mitigation))),
    );
    const checkpoints = path.join(killed, 'jobs', other!.jobId, 'checkpoints');
    const done = await until(async () => (await readdir(checkpoints).catch(() => [])).length > 0);
    expect(done).toBe(true);
    await first.kill('SIGKILL');
    expect(
      JSON.parse(await readFile(path.join(killed, 'jobs', other!.jobId, 'record.json'), 'utf8')),
    ).toMatchObject({
      status: 'running',
    });
    const saved = await timesIn(checkpoints);
    const second = await spawnServe(killed);
    const ends = Promise.all([
      jobWith(calm.url, one!.jobId, 'succeeded'),
      jobWith(second.url, other!.jobId, 'succeeded'),
    ]);
    const rewritten = await rewrittenUntil(ends, { folder: checkpoints, saved });
    expect(rewritten).toEqual([]); // no step was done again
    expect(await jobsOf(second.url)).toHaveLength(1);
    expect(await resultOf(killed, other!, 'run.json')).toEqual(await resultOf(undisturbed, one!, 'run.json'));
    const names = (folder: string, { jobId }: Job) => readdir(path.join(folder, 'results', jobId));
    expect(await names(killed, other!)).toEqual(await names(undisturbed, one!));
    expect(await second.kill('SIGTERM')).toBe(0);
  });
});

describe('files below uploads/', () => {
  it('start one job however often the server starts, and another when they come again', async () => {
    const root = await makeRoot();
    await put(root, 'uploads/drop/scores.csv', TABLE);
    await put(root, 'uploads/drop/counterweight.json', JSON.stringify({ kind: 'audit', columns: COLUMNS }));
    const first = await serve({ root });
    const [job] = await until(async () => {
      const jobs = await jobsOf(first.url);
      return jobs.length > 0 && jobs;
    });
    await jobWith(first.url, job!.jobId, 'succeeded');
    await first.close();
    const second = await serve({ root });
    // The log says when the look that follows a start has come by.
    await until(async () => second.log.some((line) => line.includes('upload has its job')));
    expect((await jobsOf(second.url)).map(({ jobId }) => jobId)).toEqual([job!.jobId]);
    await put(root, 'uploads/drop/scores.csv', TABLE.replace('0.2', '0.6'));
    await until(async () => (await jobsOf(second.url)).length === 2);
  });
});

describe('a schedule', () => {
  it('that was missed while the server was down is made up for once', async () => {
    const root = await makeRoot();
    await put(root, 'definitions/daily.json', JSON.stringify({ request: AUDIT, every: { days: 1 } }));
    const day = 24 * 3600 * 1000;
    const today = Math.floor(Date.now() / day) * day;
    const lastWeek = new Date(today - 7 * day).toISOString();
    const done = { slot: lastWeek, status: 'done', heldSince: lastWeek, attempts: 1 };
    await put(root, 'locks/definition-daily.json', JSON.stringify(done));
    const auditsOf = async (url: string) =>
      (await jsonOf<{ audits: { time: string }[] }>(fetch(`${url}/local/audits`))).audits;
    const first = await serve({ root });
    await until(async () => (await auditsOf(first.url)).length > 0);
    await first.close();
    const second = await serve({ root });
    await until(async () => second.log.some((line) => line.includes('"skipped"')));
    expect((await auditsOf(second.url)).map(({ time }) => time)).toEqual([new Date(today).toISOString()]);
  });
});

describe('a table beyond what is audited at once', () => {
  it('becomes a job, and keeps the server answering meanwhile', async () => {
    const { url, root } = await serve();
    const rows = (bytes: number) =>
      `y,sex,p\n${TABLE.slice(8).repeat(Math.floor((bytes - 8) / (TABLE.length - 8)))}`;
    await put(root, 'uploads/large/most.csv', rows(2 ** 20));
    await put(root, 'uploads/large/more.csv', rows(2 ** 20 + 1000));
    expect((await post(`${url}/v1/audits`, { ...AUDIT, predictions: 'uploads/large/more.csv' })).status).toBe(
      202,
    );
    const audits = ['0.4', '0.5', '0.6'].map((threshold) =>
      post(`${url}/v1/audits`, {
        ...AUDIT,
        predictions: 'uploads/large/most.csv',
        threshold: Number(threshold),
      }),
    );
    let slowest = 0;
    let answers = 0;
    let isOver = false;
    const ended = Promise.all(audits).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const start = performance.now();
      expect((await fetch(`${url}/health`)).status).toBe(200);
      slowest = Math.max(slowest, performance.now() - start);
      answers += isOver ? 0 : 1;
    }
    expect((await ended).map(({ status }) => status)).toEqual([200, 200, 200]);
    process.stdout.write(`slowest answer beside three audits of 1 MiB: ${Math.round(slowest)} ms\n`);
    // In between the three, however slow the machine is.
    expect(answers).toBeGreaterThanOrEqual(2);
  });
});
