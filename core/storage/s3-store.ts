import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  type PutObjectCommandInput,
  paginateListObjectsV2,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { StorageError } from '../errors.ts';
import { assertKey, isKey } from '../jobs/keys.ts';
import type { ObjectInfo, ObjectStore, StoredObject, UploadForm, WriteOptions } from './object-store.ts';
import { resumedStream } from './resumed-stream.ts';
import { failureOf, type S3Failure, s3Error } from './s3-error.ts';
import { withBody } from './source-body.ts';
import {
  assertPrefix,
  assertSeconds,
  assertStart,
  assertUploadTerms,
  contentDisposition,
  type UploadTerms,
  unmetCondition,
} from './store-input.ts';

export interface S3ClientOptions {
  readonly region: string;
  /** Of a server other than AWS. */
  readonly endpoint?: string;
  /** `{endpoint}/{bucket}` in place of `{bucket}.{endpoint}`, as most other servers want it. */
  readonly forcePathStyle?: boolean;
  /** Absent: where the SDK looks for them (role of the function or the container, profile). */
  readonly credentials?: NonNullable<S3ClientConfig['credentials']>;
  /** >= 1; default 5 */
  readonly maxAttempts?: number;
}

export interface S3StoreOptions {
  readonly bucket: string;
  /** Key of KMS for every object; absent: what the bucket does by default. */
  readonly kmsKeyId?: string;
  readonly now?: () => Date;
}

/** 10,000 parts, the most S3 takes, of this size are 80 GB; four of them are in memory at a time. */
const PART_BYTES = 8 * 1024 ** 2;
/** How often a conditional write is tried while S3 works on another one for the same key. */
const MOST_TRIES = 5;
/** Metadata by which a writer knows an object as its own. */
const WRITE_ID = 'write-id';

interface Place {
  readonly client: S3Client;
  readonly bucket: string;
  readonly encryption: Pick<
    PutObjectCommandInput,
    'ServerSideEncryption' | 'SSEKMSKeyId' | 'BucketKeyEnabled'
  >;
  readonly now: () => Date;
}

/**
 * Client with the SDK's standard retries: up to 5 attempts for 5xx, throttling and the network, with exponential
 * pauses and full jitter. Not its adaptive mode, where one throttled prefix slows down all others of the client.
 */
export function makeS3Client({ maxAttempts = 5, ...options }: S3ClientOptions): S3Client {
  return new S3Client({
    ...options,
    maxAttempts,
    retryMode: 'standard',
    // The SDK's default is to wait for ever.
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 30_000 },
  });
}

/** Objects of one bucket. @see docs/storage.md for the permissions that it needs */
export function makeS3Store(client: S3Client, options: S3StoreOptions): ObjectStore {
  const { bucket, kmsKeyId, now = () => new Date() } = options;
  const encryption =
    kmsKeyId === undefined
      ? {}
      : { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: kmsKeyId, BucketKeyEnabled: true };
  const place: Place = { client, bucket, encryption, now };
  return {
    info: (key) => onObject('reading', key, () => infoOf(place, key)),
    read: (key) => onObject('reading', key, () => read(place, key)),
    readStream: (key) =>
      onObject('reading', key, async () => {
        const first = await get(place, key);
        return first && streamOf(place, key, first);
      }),
    write: (key, body, writeOptions = {}) =>
      onObject('writing', key, () =>
        writeOptions.onlyIf === undefined
          ? put(place, key, { body, ...writeOptions })
          : putIf(place, key, { body, ...writeOptions, onlyIf: writeOptions.onlyIf }),
      ),
    writeStream: (key, body, { contentType } = {}) =>
      withBody(body, () =>
        onObject('writing', key, () => upload(place, key, { body, ...(contentType && { contentType }) })),
      ),
    delete: (key) =>
      onObject('deleting', key, async () => {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
      }),
    list: (prefix, { startAfter = '' } = {}) =>
      list(place, prefix, startAfter === '' ? {} : { StartAfter: startAfter }),
    async *listKeys(prefix, { isFlat = false } = {}) {
      for await (const { key } of list(place, prefix, isFlat ? { Delimiter: '/' } : {})) yield key;
    },
    downloadUrl: (key, { seconds, filename }) =>
      onObject('signing', key, async () => {
        assertSeconds(seconds);
        const named = filename !== undefined && { ResponseContentDisposition: contentDisposition(filename) };
        const command = new GetObjectCommand({ Bucket: bucket, Key: key, ...named });
        return getSignedUrl(client, command, { expiresIn: seconds });
      }),
    uploadForm: (key, terms) => onObject('signing', key, () => formFor(place, key, terms)),
  };
}

async function onObject<T>(operation: string, key: string, work: () => Promise<T>): Promise<T> {
  assertKey(key);
  try {
    return await work();
  } catch (error) {
    throw s3Error(operation, error);
  }
}

async function infoOf(place: Place, key: string): Promise<ObjectInfo | null> {
  const answer = await headOf(place, key);
  return answer && infoFrom(key, answer);
}

async function headOf({ client, bucket }: Place, key: string): Promise<HeadObjectCommandOutput | null> {
  try {
    return await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
  } catch (error) {
    if (failureOf(error).status === 404) return null;
    throw error;
  }
}

type Answer = Pick<GetObjectCommandOutput, 'ContentLength' | 'ETag' | 'LastModified'>;

function infoFrom(key: string, { ContentLength, ETag, LastModified }: Answer): ObjectInfo {
  if (ContentLength === undefined || ETag === undefined || LastModified === undefined) {
    throw new StorageError('object store: expected size, etag and time of an object, received less', {
      where: 'object store',
    });
  }
  return { key, bytes: ContentLength, etag: ETag, modifiedAt: LastModified };
}

interface OpenObject {
  readonly info: ObjectInfo;
  readonly body: Readable;
}

async function get({ client, bucket }: Place, key: string): Promise<OpenObject | null> {
  try {
    const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return { info: infoFrom(key, answer), body: answer.Body as Readable };
  } catch (error) {
    if (failureOf(error).reason === 'NoSuchKey') return null;
    throw error;
  }
}

async function read(place: Place, key: string): Promise<StoredObject | null> {
  const first = await get(place, key);
  if (first === null) return null;
  return { ...first.info, body: await buffer(streamOf(place, key, first)) };
}

function streamOf({ client, bucket }: Place, key: string, { info, body }: OpenObject): Readable {
  const translate = (error: unknown) => s3Error('reading', error);
  return resumedStream(body, { bytes: info.bytes, translate }, async (offset) => {
    const rest = { Range: `bytes=${offset}-`, IfMatch: info.etag };
    const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...rest }));
    return answer.Body as Readable;
  });
}

interface Content<Body = Uint8Array | string> {
  readonly body: Body;
  readonly contentType?: string;
  readonly conditions?: Pick<PutObjectCommandInput, 'IfMatch' | 'IfNoneMatch' | 'Metadata'>;
}

async function put(
  { client, bucket, encryption, now }: Place,
  key: string,
  { body, contentType, conditions }: Content,
): Promise<ObjectInfo> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const answer = await client.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: bytes,
      ...(contentType !== undefined && { ContentType: contentType }),
      ...encryption,
      ...conditions,
    }),
  );
  return infoFrom(key, { ETag: answer.ETag, ContentLength: bytes.length, LastModified: now() });
}

type Condition = NonNullable<WriteOptions['onlyIf']>;

interface ConditionalContent extends Content {
  readonly onlyIf: Condition;
}

async function putIf(place: Place, key: string, content: ConditionalContent): Promise<ObjectInfo> {
  const writeId = randomUUID();
  let isRepeated = false;
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    const outcome = await tryPutIf(place, key, { content, writeId });
    if (!('refusal' in outcome)) return outcome;
    isRepeated ||= outcome.refusal.attempts > 1;
    const written = isRepeated ? await ownWrite(place, key, writeId) : null;
    if (written !== null) return written;
    // 409: another write for the key is on its way, perhaps our own, and how that ends decides.
    if (outcome.refusal.status !== 409) break;
    if (tries < MOST_TRIES) await sleep(Math.random() * 50 * 2 ** tries);
  }
  throw unmetCondition(content.onlyIf);
}

async function tryPutIf(
  place: Place,
  key: string,
  { content, writeId }: { readonly content: ConditionalContent; readonly writeId: string },
): Promise<ObjectInfo | { readonly refusal: S3Failure }> {
  const { onlyIf } = content;
  const condition = onlyIf === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: onlyIf.etag };
  try {
    const conditions = { ...condition, Metadata: { [WRITE_ID]: writeId } };
    return await put(place, key, { ...content, conditions });
  } catch (error) {
    if (!isRefusal(error, onlyIf)) throw error;
    return { refusal: failureOf(error) };
  }
}

/** Is it the condition that failed? An object whose etag is asked for and that is gone makes a 404. */
function isRefusal(error: unknown, onlyIf: Condition): boolean {
  const { status, reason } = failureOf(error);
  return status === 412 || status === 409 || (reason === 'NoSuchKey' && onlyIf !== 'absent');
}

/**
 * When an answer is lost, the SDK asks again and S3 refuses, since the object is there by then: written by us. So each
 * conditional write leaves an id of its own in the object's metadata, and a refused repetition looks for it.
 */
async function ownWrite(place: Place, key: string, writeId: string): Promise<ObjectInfo | null> {
  const answer = await headOf(place, key);
  return answer?.Metadata?.[WRITE_ID] === writeId ? infoFrom(key, answer) : null;
}

async function upload(
  place: Place,
  key: string,
  { body, contentType }: Content<Readable>,
): Promise<ObjectInfo> {
  const { client, bucket, encryption, now } = place;
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const part of body) {
      const chunk = typeof part === 'string' ? Buffer.from(part) : (part as Uint8Array);
      bytes += chunk.length;
      yield chunk;
    }
  }
  const answer = await new Upload({
    client,
    partSize: PART_BYTES,
    params: {
      Bucket: bucket,
      Key: key,
      Body: Readable.from(counted()),
      ...(contentType !== undefined && { ContentType: contentType }),
      ...encryption,
    },
  }).done();
  return infoFrom(key, { ETag: answer.ETag, ContentLength: bytes, LastModified: now() });
}

async function* list(
  { client, bucket }: Place,
  prefix: string,
  range: Pick<ListObjectsV2CommandInput, 'StartAfter' | 'Delimiter'>,
): AsyncGenerator<ObjectInfo> {
  assertPrefix(prefix);
  assertStart(range.StartAfter ?? '');
  try {
    for await (const page of paginateListObjectsV2(
      { client },
      { Bucket: bucket, Prefix: prefix, ...range },
    )) {
      for (const { Key = '', Size: ContentLength, ...rest } of page.Contents ?? []) {
        if (isKey(Key)) yield infoFrom(Key, { ContentLength, ...rest });
      }
    }
  } catch (error) {
    throw s3Error('listing', error);
  }
}

async function formFor(place: Place, key: string, terms: UploadTerms): Promise<UploadForm> {
  assertUploadTerms(key, terms);
  const { SSEKMSKeyId } = place.encryption;
  const encryption: Record<string, string> =
    SSEKMSKeyId === undefined
      ? {}
      : {
          'x-amz-server-side-encryption': 'aws:kms',
          'x-amz-server-side-encryption-aws-kms-key-id': SSEKMSKeyId,
        };
  // Fields and key become conditions of the policy.
  return createPresignedPost(place.client, {
    Bucket: place.bucket,
    Key: key,
    Fields: { 'Content-Type': terms.contentType, ...encryption },
    Conditions: [['content-length-range', 0, terms.maxBytes]],
    Expires: terms.seconds,
  });
}
