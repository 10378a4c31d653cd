import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import { afterAll, beforeAll } from 'vitest';

/** What tests need to reach a server that speaks S3; the values are set once the tests of the file run. */
export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** The only pair that s3rver knows. */
const CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } as const;

/**
 * s3rver with one bucket, on a free port of the loopback, started before the tests of a file and stopped after them.
 * It refuses unknown access keys but checks no signature of today's kind, and knows neither conditions of writes and
 * forms nor encryption, versions or further pages of a list.
 */
export function useS3Server(): S3Server {
  const bucket = 'test-bucket';
  let endpoint = '';
  let directory = '';
  let server: S3rver | null = null;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'counterweight-s3-'));
    const configureBuckets = [{ name: bucket, configs: [] }];
    server = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory, configureBuckets });
    const { port } = await server.run();
    endpoint = `http://127.0.0.1:${port}`;
  });
  afterAll(async () => {
    await server?.close();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    get endpoint() {
      return endpoint;
    },
    bucket,
    credentials: CREDENTIALS,
  };
}
