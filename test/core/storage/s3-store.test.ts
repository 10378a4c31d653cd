import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeS3Client, makeS3Store } from '../../../core/storage/s3-store.ts';
import { useS3Server } from '../../helpers/s3-server.ts';
import { collect, textOf } from './contract-parts.ts';
import { describeObjectStore } from './object-store.contract.ts';
import { BUCKET, clientOf, download, post, storeOf } from './s3-access.ts';
import { type Call, type Fate, useS3Proxy } from './s3-proxy.ts';

describe('against s3rver', () => {
  const server = useS3Server();
  const proxy = useS3Proxy(server, { secretAccessKey: server.credentials.secretAccessKey });
  const access = () => ({ endpoint: proxy.endpoint, credentials: server.credentials });
  beforeEach(() => proxy.reset());

  describeObjectStore('S3 store on s3rver', {
    makeStore: () => storeOf(access()),
    download,
    post,
    lacks: {
      'conditional writes': 's3rver ignores If-Match and If-None-Match',
      'order of keys': 's3rver lists in order of its folders and fails to make a second page',
    },
  });

  describe('when every third request fails', () => {
    const everyThird = ({ number }: Call): Fate => {
      if (number % 3 !== 0) return 'pass';
      return number % 2 === 0 ? 'cut' : { status: 503, code: 'SlowDown' };
    };

    it('every operation succeeds', async () => {
      const store = storeOf(access());
      proxy.reset(everyThird);
      const large = randomBytes(9_000_000);
      await store.write('third/a', 'one');
      await store.writeStream('third/large', Readable.from([large]));
      expect(await textOf(store, 'third/a')).toBe('one');
      expect(large.equals(await buffer((await store.readStream('third/large'))!))).toBe(true);
      expect(await store.info('third/a')).toMatchObject({ bytes: 3 });
      expect(await collect(store.list('third/'))).toEqual(['third/a', 'third/large']);
      await store.write('third/a', 'two');
      await store.delete('third/a');
      expect(await store.read('third/a')).toBeNull();
      expect(proxy.calls.filter((call) => everyThird(call) !== 'pass').length).toBeGreaterThanOrEqual(4);
    });
  });

  describe('when an answer breaks off in the middle of the body', () => {
    const body = randomBytes(3_000_000);
    const cutReads = (cuts: number) => {
      let left = cuts;
      return ({ method }: Call): Fate => {
        if (method !== 'GET' || left === 0) return 'pass';
        left -= 1;
        return 'cut-answer';
      };
    };

    it('a read and a stream go on from there, as often as it takes', async () => {
      const store = storeOf(access());
      await store.write('cut', body);
      proxy.reset(cutReads(5));
      expect(body.equals((await store.read('cut'))!.body)).toBe(true);
      expect(proxy.calls).toHaveLength(6);
      proxy.reset(cutReads(2));
      expect(body.equals(await buffer((await store.readStream('cut'))!))).toBe(true);
      expect(proxy.calls).toHaveLength(3);
    });

    it('a stream that nobody reads holds no connection', async () => {
      const store = storeOf(access());
      await store.write('unread', body);
      const stream = (await store.readStream('unread'))!;
      const closed = new Promise((resolve) => stream.once('close', resolve));
      stream.destroy();
      await closed;
      expect(stream.destroyed).toBe(true);
    });
  });

  describe('multipart uploads', () => {
    it('are aborted when a part fails for good', async () => {
      const store = storeOf({ ...access(), maxAttempts: 1 });
      proxy.reset(({ path }) =>
        path.includes('partNumber=2') ? { status: 500, code: 'InternalError' } : 'pass',
      );
      const body = Readable.from([Buffer.alloc(17_000_000)]);
      await expect(store.writeStream('parts', body)).rejects.toMatchObject({ code: 'STORAGE' });
      expect(
        proxy.calls.filter(({ method, path }) => method === 'DELETE' && /uploadId=/.test(path)),
      ).toHaveLength(1);
      expect(await store.read('parts')).toBeNull();
    });
  });

  describe('a conditional write', () => {
    it('whose answer was lost is known as its own by the metadata', async () => {
      const store = storeOf(access());
      const refused = { status: 412, code: 'PreconditionFailed' };
      proxy.reset(({ number }) => (['lose-answer', refused] as const)[number - 1] ?? 'pass');
      const written = await store.write('lost', 'mine', { onlyIf: 'absent' });
      expect(proxy.calls.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'HEAD']);
      expect(written.etag).toBe((await store.info('lost'))!.etag);
    });

    it('whose first answer was lost is known as its own after a 409 as well', async () => {
      const store = storeOf(access());
      const busy = { status: 409, code: 'ConditionalRequestConflict' };
      const notYet = { status: 404, code: 'NotFound' };
      const refused = { status: 412, code: 'PreconditionFailed' };
      // Written, asked again while S3 is still at it, looked for too early, asked once more, and there it is.
      const fates: Fate[] = ['lose-answer', busy, notYet, refused];
      proxy.reset(({ number }) => fates[number - 1] ?? 'pass');
      const written = await store.write('late', 'mine', { onlyIf: 'absent' });
      expect(proxy.calls.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'HEAD', 'PUT', 'HEAD']);
      expect(written.etag).toBe((await store.info('late'))!.etag);
    });

    it('that never came through is a conflict when somebody else was first', async () => {
      const store = storeOf(access());
      await store.write('theirs', 'theirs');
      const refused = { status: 412, code: 'PreconditionFailed' };
      for (const key of ['theirs', 'nobodys']) {
        proxy.reset(({ number }) => (['cut', refused] as const)[number - 1] ?? 'pass');
        await expect(store.write(key, 'mine', { onlyIf: 'absent' })).rejects.toMatchObject({
          code: 'CONFLICT',
        });
      }
    });

    it('is tried again while S3 works on another one (409)', async () => {
      const store = storeOf(access());
      const busy = { status: 409, code: 'ConditionalRequestConflict' };
      proxy.reset(({ number }) => (number < 3 ? busy : 'pass'));
      await store.write('busy', 'mine', { onlyIf: 'absent' });
      expect(proxy.calls).toHaveLength(3);
      proxy.reset(({ number }) => (number < 2 ? busy : { status: 412, code: 'PreconditionFailed' }));
      await expect(store.write('busy', 'x', { onlyIf: 'absent' })).rejects.toMatchObject({
        code: 'CONFLICT',
      });
      expect(proxy.calls).toHaveLength(2);
    });

    it('is a conflict when S3 stays busy', async () => {
      const store = storeOf(access());
      proxy.reset(() => ({ status: 409, code: 'ConditionalRequestConflict' }));
      const write = store.write('busy', 'x', { onlyIf: { etag: '"e"' } });
      await expect(write).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(proxy.calls).toHaveLength(5);
    });
  });

  it('objects of other programs under keys that no store takes are not listed', async () => {
    await storeOf(access()).write('console/a', '1');
    const command = new PutObjectCommand({ Bucket: BUCKET, Key: 'console/a\\b', Body: '2' });
    await clientOf(access()).send(command);
    expect(await collect(storeOf(access()).list('console/'))).toEqual(['console/a']);
  });

  it('a download URL lasts as long as asked, and holds no more than it needs', async () => {
    const url = new URL(await storeOf(access()).downloadUrl('a/b', { seconds: 61 }));
    expect(url.pathname).toBe(`/${BUCKET}/a/b`);
    expect(url.searchParams.get('X-Amz-Expires')).toBe('61');
    expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe('host');
  });
});

describe('failures', () => {
  const server = useS3Server();
  const proxy = useS3Proxy(server);
  const refusing = (fate: Fate) => proxy.reset(() => fate);
  const access = () => ({ endpoint: proxy.endpoint, credentials: server.credentials, maxAttempts: 2 });

  /** Every operation of a store, and what it fails with. */
  async function failuresOf(store: ReturnType<typeof storeOf>): Promise<unknown[]> {
    const tries = await Promise.allSettled([
      store.info('secret-key'),
      store.read('secret-key'),
      store.readStream('secret-key'),
      store.write('secret-key', 'row data'),
      store.write('secret-key', 'row data', { onlyIf: 'absent' }),
      store.writeStream('secret-key', Readable.from(['row data'])),
      store.delete('secret-key'),
      collect(store.list('secret-key')),
    ]);
    return tries.map((result) => (result.status === 'rejected' ? result.reason : result.value));
  }

  /** Neither the error nor its cause say what they must not. */
  function assertDiscreet(errors: readonly unknown[]): void {
    const text = errors.map((error) => inspect(error, { depth: 10, showHidden: true })).join('\n');
    expect(text).not.toMatch(/secret-key|row data|test-bucket|S3RVER|X-Amz-|token-of-a-session/);
  }

  it('503 after 503 is a StorageError that says so', async () => {
    refusing({ status: 503, code: 'SlowDown', message: 'test-bucket is busy' });
    const errors = await failuresOf(storeOf(access()));
    for (const error of errors) {
      expect(error).toMatchObject({
        code: 'STORAGE',
        message: expect.stringMatching(
          /^object store: (reading|writing|deleting|listing) failed \(HTTP 503 /,
        ),
        details: { status: 503, attempts: 2 },
        cause: expect.any(Error),
      });
    }
    assertDiscreet(errors);
  });

  it('a connection that is always cut is a StorageError with the network as its cause', async () => {
    refusing('cut');
    const errors = await failuresOf(storeOf(access()));
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'STORAGE', cause: { name: expect.stringMatching(/^E[A-Z]+$/) } });
    }
    assertDiscreet(errors);
  });

  it('403 is a StorageError that says access denied, is not tried again, and names nothing', async () => {
    const message = 'arn:aws:sts::1:role/x is not authorized on arn:aws:s3:::test-bucket/secret-key';
    refusing({ status: 403, code: 'AccessDenied', message });
    const errors = await failuresOf(storeOf(access()));
    for (const error of errors) {
      expect(error).toMatchObject({
        code: 'STORAGE',
        message: expect.stringMatching(/^object store: access denied when .* \(HTTP 403 /),
        details: { attempts: 1 },
      });
    }
    assertDiscreet(errors);
  });

  it('an access key that the server does not know is refused, and not told', async () => {
    proxy.reset();
    const credentials = { accessKeyId: 'AKIAUNKNOWN', secretAccessKey: 'not the secret' };
    const errors = await failuresOf(storeOf({ ...access(), credentials }));
    for (const error of errors) expect(error).toMatchObject({ code: 'STORAGE', details: { status: 403 } });
    assertDiscreet(errors);
    expect(inspect(errors, { depth: 10, showHidden: true })).not.toMatch(/AKIAUNKNOWN|not the secret/);
  });

  it('credentials that cannot be had are a StorageError, for signing too', async () => {
    const credentials = async () => {
      throw Object.assign(new Error('token-of-a-session'), { name: 'CredentialsProviderError' });
    };
    const client = makeS3Client({ region: 'us-east-1', endpoint: proxy.endpoint, credentials });
    const store = makeS3Store(client, { bucket: BUCKET });
    const errors = [
      ...(await failuresOf(store)),
      await store.downloadUrl('secret-key', { seconds: 1 }).catch((error: unknown) => error),
      await store
        .uploadForm('secret-key', { seconds: 1, maxBytes: 1, contentType: 'a/b' })
        .catch((error: unknown) => error),
    ];
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'STORAGE', details: { reason: 'CredentialsProviderError' } });
    }
    assertDiscreet(errors);
  });

  it('a bucket that does not exist is no absent object', async () => {
    proxy.reset();
    const store = makeS3Store(clientOf(access()), { bucket: 'other-bucket' });
    const calls = [store.read('a'), store.readStream('a'), store.write('a', ''), store.delete('a')];
    for (const result of await Promise.allSettled(calls)) {
      const reason = { code: 'STORAGE', details: { reason: 'NoSuchBucket' } };
      expect(result).toMatchObject({ status: 'rejected', reason });
    }
  });
});
