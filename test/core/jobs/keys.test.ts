import { describe, expect, it } from 'vitest';
import {
  alertKey,
  assertKey,
  auditKey,
  besideKey,
  checkpointPrefix,
  definitionKey,
  definitionLockKey,
  definitionName,
  folderOf,
  isId,
  isKey,
  isStarter,
  jobIdOfRecord,
  lastKeyOf,
  lockKey,
  modelFolder,
  namesModelFile,
  recordKey,
  requestKey,
  resultKey,
  statusKey,
  temporaryPrefix,
  uploadKey,
} from '../../../core/jobs/keys.ts';

const BAD_IDS = ['', '-a', 'A', 'a/b', '..', 'a b', 'ä', 'a\n', 'x'.repeat(64)];

describe('keys of a job', () => {
  it.each(BAD_IDS)('cannot be made from the id %j', (id) => {
    expect(isId(id)).toBe(false);
    for (const make of [
      recordKey,
      statusKey,
      checkpointPrefix,
      requestKey,
      definitionKey,
      lockKey,
      lastKeyOf,
    ]) {
      expect(() => make(id)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
    }
  });

  it('lie under one prefix each', () => {
    expect([recordKey('a-1'), statusKey('a-1'), checkpointPrefix('a-1')]).toEqual([
      'jobs/a-1/record.json',
      'jobs/a-1/status.json',
      'jobs/a-1/checkpoints/',
    ]);
    expect([resultKey('a-1', 'run.json'), temporaryPrefix('a-1', 2)]).toEqual([
      'results/a-1/run.json',
      'tmp/a-1/2/',
    ]);
  });

  it('all sort before the last key of the job and after that of the job before it', () => {
    const keys = [recordKey('b'), statusKey('b'), `${checkpointPrefix('b')}zzz`];
    for (const key of keys) {
      expect(key < lastKeyOf('b')).toBe(true);
      expect(key > lastKeyOf('a')).toBe(true);
      expect(key < recordKey('b0')).toBe(true);
    }
  });

  it('give the id back only if they are those of a record', () => {
    expect(jobIdOfRecord(recordKey('a-1'))).toBe('a-1');
    expect(jobIdOfRecord(statusKey('a-1'))).toBeNull();
    expect(jobIdOfRecord('jobs/a-1/checkpoints/record.json')).toBeNull();
  });
});

describe('keys of definitions', () => {
  it('give the name back only if they lie directly below the prefix', () => {
    expect(definitionName(definitionKey('weekly'))).toBe('weekly');
    expect(definitionName('definitions/old/weekly.json')).toBeNull();
    expect(definitionName('definitions/weekly.txt')).toBeNull();
  });

  it('have a lock of their own, apart from every other lock', () => {
    expect(definitionLockKey('serve')).toBe('locks/definition-serve.json');
    expect(definitionLockKey('serve')).not.toBe(lockKey('serve'));
    expect(definitionLockKey('x'.repeat(52))).toBe(`locks/definition-${'x'.repeat(52)}.json`);
    expect(() => definitionLockKey('x'.repeat(53))).toThrow('1 to 52');
  });

  it('order audits by time', () => {
    const times = ['2026-03-01T06:00:00.000Z', '2026-03-01T18:00:00.000Z', '2026-11-01T00:00:00.000Z'];
    const keys = times.map((time) => auditKey('weekly', new Date(time)));
    expect(keys[0]).toBe('audits/weekly/20260301T060000Z.json');
    expect(keys.toSorted()).toEqual(keys);
  });

  it('name an alert as the audit that it is about', () => {
    const time = new Date('2026-03-01T06:00:00.000Z');
    expect(alertKey('weekly', time)).toBe('alerts/weekly/20260301T060000Z.json');
    expect(() => alertKey('a/b', time)).toThrow('1 to 63');
  });
});

describe('keys of uploads', () => {
  it.each([
    'counterweight.json',
    'x.job.json',
    'T.CSV',
    't.csv.gz',
    't.jsonl',
    't.jsonl.gz',
    't.parquet',
    'model.json',
    'group1-shard1of2.bin',
    'Net.ONNX',
    'net.onnx.data',
    'net.onnx_data',
    'net.keras',
    'net.h5',
    'net.hdf5',
  ])('that end as %j does can start something', (name) => {
    expect(isStarter(name)).toBe(true);
  });

  it.each(['a.png', 'a.jpg', 'json', 'a.png.gz', 'net.pt', ''])(
    'that end as %j does start nothing',
    (name) => {
      expect(isStarter(name)).toBe(false);
    },
  );

  it('name the folder and what lies beside', () => {
    expect(uploadKey('u1', 'a/b.csv')).toBe('uploads/u1/a/b.csv');
    expect(folderOf('uploads/u1/a/b.csv')).toBe('uploads/u1/a/');
    expect(besideKey('uploads/u1/a/b.csv', 'c.json')).toBe('uploads/u1/a/c.json');
  });

  it.each([
    ['uploads/m', false, 'uploads/m/'],
    ['uploads/m/', false, 'uploads/m/'],
    ['uploads/m/Net.ONNX', true, 'uploads/m/'],
    ['uploads/m/model.json', true, 'uploads/m/'],
    ['uploads/m/net.onnx/', false, 'uploads/m/net.onnx/'],
  ])('tell whether %s is a file, and the folder of a model', (model, isFile, folder) => {
    expect(namesModelFile(model)).toBe(isFile);
    expect(modelFolder(model)).toBe(folder);
  });
});

describe('assertKey', () => {
  const longest = `${`${'x'.repeat(255)}/`.repeat(3)}${'x'.repeat(200)}/${'x'.repeat(55)}`; // 768 + 256 bytes

  it.each(['a', 'a/b.json', 'a b/ü', '\u{1f600}.csv', 'x'.repeat(255), longest])('accepts %j', (key) => {
    expect(() => assertKey(key)).not.toThrow();
  });

  it.each([
    '',
    '/a',
    'a/',
    'a//b',
    '.',
    'a/../b',
    'a/./b',
    'a\\b',
    'a\nb',
    'a\u0000',
    'a\u0085',
    'a\uffff',
    '\ud800',
    'a\udc00b',
    '\ude00\ud83d', // the halves of a pair in the wrong order
    'x'.repeat(256),
    'ü'.repeat(128),
    `${longest}x`,
  ])('refuses %j', (key) => {
    expect(isKey(key)).toBe(false);
    expect(() => assertKey(key)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });
});
