import { describe, expect, it } from 'vitest';
import { StorageError } from '../../core/errors.ts';
import { makeOnUpload } from '../../functions/on-upload.ts';
import { AUDIT, MITIGATION, TABLE } from '../core/jobs/fixtures.ts';
import { s3BridgeEvent, s3Notification } from './events.ts';
import { makeFunctionDeps, makeReadyDeps } from './fixtures.ts';

const table = 'uploads/Klinik Süd/P-4711 scores+1.csv';
const config = 'uploads/Klinik Süd/counterweight.json';
const { columns } = AUDIT;

async function makeUploaded() {
  const deps = makeFunctionDeps();
  await deps.store.put(table, TABLE);
  await deps.store.put(config, { columns });
  return { deps, handler: makeOnUpload(deps) };
}

describe('an upload event', () => {
  it.each([
    ['from the bucket', s3Notification(table)],
    ['by way of EventBridge', s3BridgeEvent(table)],
  ])('%s starts the audit of a table whose name has spaces and umlauts', async (_, event) => {
    const { deps, handler } = await makeUploaded();
    await handler(event);
    expect(deps.queues.cpu.works.size).toBe(1);
    expect(deps.logs()).toEqual([
      expect.objectContaining({ message: 'upload has its job', status: 'queued' }),
    ]);
  });

  it('starts one job, however often and in which order it comes', async () => {
    const { deps, handler } = await makeUploaded();
    const events = [config, table, table, config].flatMap((key) => [s3Notification(key), s3BridgeEvent(key)]);
    await Promise.all(events.map(handler));
    for (const event of events.toReversed()) await handler(event);
    expect(deps.queues.cpu.works.size).toBe(1);
    expect(deps.store.keys('jobs/')).toHaveLength(1);
  });

  it('starts one job for ten equal events at once, of a request and of a data set', async () => {
    const deps = await makeReadyDeps();
    const handler = makeOnUpload(deps);
    await deps.store.put('uploads/x/night.job.json', AUDIT);
    await deps.store.put('uploads/set/counterweight.json', {
      model: 'model/',
      manifest: 'labels.csv',
      columns: MITIGATION.columns,
    });
    const keys = ['uploads/x/night.job.json', 'uploads/set/counterweight.json'];
    const events = Array.from({ length: 10 }, () => s3Notification(...keys));
    await Promise.all(events.map(handler));
    expect([deps.queues.cpu.works.size, deps.queues.gpu.works.size]).toEqual([1, 1]);
  });

  it('that starts nothing leaves a log line and nothing else', async () => {
    const deps = makeFunctionDeps();
    await makeOnUpload(deps)(s3BridgeEvent('uploads/a/image.png'));
    expect(deps.logs()).toEqual([expect.objectContaining({ level: 'info', message: 'upload ignored' })]);
    expect(deps.store.keys()).toEqual([]);
  });

  it.each([
    ['a test event', { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'secret-bucket' }],
    ['a deletion', s3BridgeEvent(table, 'Object Deleted')],
    ['an event of another source', { source: 'aws.ec2' }],
    [
      'a key that S3 never wrote',
      {
        Records: [{ eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', s3: { object: { key: '%zz' } } }],
      },
    ],
    ['nothing', null],
  ])('is ignored when it is %s', async (_, event) => {
    const { deps, handler } = await makeUploaded();
    await handler(event);
    expect(deps.logs()).toEqual([expect.objectContaining({ message: 'event ignored' })]);
    expect(deps.store.keys('jobs/')).toEqual([]);
  });

  it('says in the log which rules a configuration breaks, not what it holds', async () => {
    const { deps, handler } = await makeUploaded();
    await deps.store.put(config, { columns, kind: 'CANARY', threshold: 7 });
    await handler(s3BridgeEvent(config));
    const [line] = deps.logs();
    expect(line).toMatchObject({ level: 'warn', message: 'upload refused', code: 'INVALID_INPUT' });
    expect(line?.issues).toEqual([expect.stringContaining('"kind" must be one of')]);
    expect(deps.written.join()).not.toContain('CANARY');
  });

  it('never writes a key, a bucket or a row into the log', async () => {
    const { deps, handler } = await makeUploaded();
    await deps.store.put('uploads/Klinik Süd/x.job.json', TABLE);
    for (const key of [table, config, 'uploads/Klinik Süd/x.job.json', 'uploads/Klinik Süd/gone.csv']) {
      await handler(s3Notification(key));
    }
    expect(deps.written).toHaveLength(4);
    for (const word of ['Klinik', 'P-4711', 'scores', 'uploads/K', 'secret-bucket', '0.9']) {
      expect(deps.written.join()).not.toContain(word);
    }
  });

  it('comes again when the store fails, after the other uploads of the event had their turn', async () => {
    const { deps, handler } = await makeUploaded();
    await deps.store.put('uploads/down/a.csv', TABLE);
    deps.store.before = (_, key) => {
      if (key.startsWith('uploads/down/'))
        throw new StorageError('GET https://secret-bucket.s3/uploads/down');
    };
    const error = await handler(s3Notification('uploads/down/a.csv', table)).catch((caught: Error) => caught);
    expect(error).toMatchObject({
      message: 'event not handled: STORAGE',
      stack: 'event not handled: STORAGE',
    });
    expect(deps.queues.cpu.works.size).toBe(1);
    expect(deps.written.join()).not.toContain('secret-bucket');
  });
});
