import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
} from '@aws-sdk/client-s3';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { makeS3Store } from '../../../core/storage/s3-store.ts';
import { describeWithMoto, MOTO_CREDENTIALS } from '../../helpers/moto.ts';
import { collect, increment, numbered, textOf } from './contract-parts.ts';
import { describeObjectStore } from './object-store.contract.ts';
import { BUCKET, clientOf, download, post, storeOf } from './s3-access.ts';
import { useS3Proxy } from './s3-proxy.ts';

const KMS_KEY = 'arn:aws:kms:us-east-1:123456789012:key/0d1e2f';

describeWithMoto(
  'against moto',
  (moto) => {
    const proxy = useS3Proxy(moto, { secretAccessKey: MOTO_CREDENTIALS.secretAccessKey });
    const access = () => ({ endpoint: proxy.endpoint, credentials: MOTO_CREDENTIALS });
    beforeAll(async () => {
      await clientOf(access()).send(new CreateBucketCommand({ Bucket: BUCKET }));
    });
    beforeEach(() => proxy.reset());

    describeObjectStore('S3 store on moto', { makeStore: () => storeOf(access()), download, post });

    it('a list comes in pages, also behind a key', async () => {
      const store = storeOf(access());
      const keys = Array.from({ length: 11 }, (_, index) => `pages/${String(index).padStart(2, '0')}`);
      for (const key of keys) await store.write(key, '');
      proxy.reset();
      expect(await collect(store.list('pages/', { startAfter: 'pages/00' }))).toEqual(keys.slice(1));
      expect(proxy.calls).toHaveLength(10 / 5);
    });

    it('a body whose checksum S3 told goes on when it breaks off, and is complete', async () => {
      const store = storeOf(access());
      const body = randomBytes(2_000_000);
      await store.write('checked', body);
      proxy.reset(({ number }) => (number === 1 ? 'cut-answer' : 'pass'));
      expect(body.equals((await store.read('checked'))!.body)).toBe(true);
      expect(proxy.calls).toHaveLength(2);
    });

    it('an object that is overwritten while it is read is never mixed', async () => {
      const store = storeOf(access());
      await store.write('mixed', Buffer.alloc(2_000_000, 'a'));
      proxy.reset(({ number, method }) => (method === 'GET' && number === 1 ? 'cut-answer' : 'pass'));
      const stream = (await store.readStream('mixed'))!;
      await store.write('mixed', Buffer.alloc(2_000_000, 'b'));
      await expect(buffer(stream)).rejects.toMatchObject({
        code: 'STORAGE',
        message: expect.stringContaining('HTTP 412'),
      });
    });

    it('a conditional write whose answer was lost succeeds, and its repetition does not', async () => {
      const store = storeOf(access());
      proxy.reset(({ number }) => (number === 1 ? 'lose-answer' : 'pass'));
      const first = await store.write('lost', 'mine', { onlyIf: 'absent' });
      proxy.reset(({ number }) => (number === 1 ? 'lose-answer' : 'pass'));
      const second = await store.write('lost', 'again', { onlyIf: { etag: first.etag } });
      proxy.reset(({ number }) => (number === 1 ? 'lose-answer' : 'pass'));
      const third = store.write('lost', 'late', { onlyIf: { etag: first.etag } });
      await expect(third).rejects.toMatchObject({ code: 'CONFLICT' });
      expect((await store.read('lost'))!.etag).toBe(second.etag);
    });

    it('5 who each add one at once add 5, while every third connection is cut', async () => {
      // Among others at once a request meets a third of all connections by chance: (1/3)^5 would fail for good.
      const store = storeOf({ ...access(), maxAttempts: 12 });
      await store.write('cut/n', '0');
      proxy.reset(({ number }) => (number % 3 === 0 ? 'cut' : 'pass'));
      await Promise.all(numbered(5).map(() => increment(store, 'cut/n')));
      proxy.reset();
      expect(await textOf(store, 'cut/n')).toBe('5');
    });

    it('a stream that breaks off leaves no parts behind', async () => {
      const store = storeOf(access());
      const breakOff = async function* () {
        for (let part = 0; part < 3; part += 1) yield Buffer.alloc(8_500_000);
        throw new Error('the source is gone');
      };
      await expect(store.writeStream('broken', Readable.from(breakOff()))).rejects.toMatchObject({
        code: 'STORAGE',
      });
      const left = await clientOf(access()).send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
      expect(left.Uploads ?? []).toEqual([]);
      expect(proxy.calls.some(({ path }) => path.includes('partNumber='))).toBe(true);
    });

    it('keeps the content type of a write, a stream and a form', async () => {
      const store = storeOf(access());
      await store.write('types/a', '', { contentType: 'text/csv' });
      await store.writeStream('types/b', Readable.from(['1']), { contentType: 'image/png' });
      const typeOf = async (key: string) =>
        (await clientOf(access()).send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }))).ContentType;
      expect(await typeOf('types/a')).toBe('text/csv');
      expect(await typeOf('types/b')).toBe('image/png');
    });

    it('with a key of KMS every object is encrypted with it, also one of several parts', async () => {
      const client = clientOf(access());
      const store = makeS3Store(client, { bucket: BUCKET, kmsKeyId: KMS_KEY });
      await store.write('kms/a', '1');
      await store.write('kms/b', '1', { onlyIf: 'absent' });
      await store.writeStream('kms/c', Readable.from([Buffer.alloc(9_000_000)]));
      for (const key of ['kms/a', 'kms/b', 'kms/c']) {
        const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }));
        expect(head).toMatchObject({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KMS_KEY });
      }
    });

    it('with a key of KMS a form is bound to it', async () => {
      const store = makeS3Store(clientOf(access()), { bucket: BUCKET, kmsKeyId: KMS_KEY });
      const form = await store.uploadForm('kms/form', { seconds: 60, maxBytes: 9, contentType: 'text/csv' });
      const header = 'x-amz-server-side-encryption-aws-kms-key-id';
      expect(form.fields[header]).toBe(KMS_KEY);
      const { [header]: _, ...plain } = form.fields;
      expect(await post({ ...form, fields: plain }, Buffer.alloc(1))).toBe(false);
      expect(await post(form, Buffer.alloc(1))).toBe(true);
    });

    it('in a versioned bucket what was overwritten or deleted stays as a version', async () => {
      const client = clientOf(access());
      await client.send(new CreateBucketCommand({ Bucket: 'versioned-bucket' }));
      const VersioningConfiguration = { Status: 'Enabled' } as const;
      await client.send(
        new PutBucketVersioningCommand({ Bucket: 'versioned-bucket', VersioningConfiguration }),
      );
      const store = makeS3Store(client, { bucket: 'versioned-bucket' });
      const first = await store.write('a', 'one', { onlyIf: 'absent' });
      await store.write('a', 'two', { onlyIf: { etag: first.etag } });
      await store.delete('a');
      expect(await store.read('a')).toBeNull();
      expect(await store.info('a')).toBeNull();
      expect(await collect(store.list(''))).toEqual([]);
      const { Versions = [] } = await client.send(
        new ListObjectVersionsCommand({ Bucket: 'versioned-bucket' }),
      );
      const bodies = Versions.map(async ({ Key, VersionId }) => {
        const command = new GetObjectCommand({
          Bucket: 'versioned-bucket',
          Key: Key!,
          VersionId: VersionId!,
        });
        return (await client.send(command)).Body!.transformToString();
      });
      expect((await Promise.all(bodies)).sort()).toEqual(['one', 'two']);
      await store.write('a', 'three', { onlyIf: 'absent' });
      expect(await textOf(store, 'a')).toBe('three');
    });
  },
  { MOTO_S3_DEFAULT_MAX_KEYS: '5' },
);
