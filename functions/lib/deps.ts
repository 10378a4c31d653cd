import { randomBytes } from 'node:crypto';
import type { JobDeps } from '../../core/jobs/deps.ts';
import { readEnv } from './env.ts';
import { makeTelemetry, type Telemetry } from './telemetry.ts';

/** What every handler is made with; a test or a local server brings its own. */
export interface FunctionDeps extends JobDeps {
  readonly telemetry: Telemetry;
}

/** 128 bits: an upload's id is all that keeps others from adding to it. */
const ID_BYTES = 16;

/** Store, queues and telemetry of this deployment. The AWS SDK is loaded here, at the first call of a function. */
export async function realDeps(): Promise<FunctionDeps> {
  const env = readEnv();
  const [{ makeS3Client, makeS3Store }, { makeBatchClient, makeBatchQueue }] = await Promise.all([
    import('../../core/storage/s3-store.ts'),
    import('../../core/queue/batch-queue.ts'),
  ]);
  const now = () => new Date();
  const { AWS_REGION: region, AWS_ENDPOINT_URL_S3: s3, AWS_ENDPOINT_URL_BATCH: batch } = env;
  const s3Client = makeS3Client({ region, ...(s3 && { endpoint: s3, forcePathStyle: true }) });
  const batchClient = makeBatchClient({ region, ...(batch && { endpoint: batch }) });
  return {
    store: makeS3Store(s3Client, { bucket: env.BUCKET, ...(env.KMS_KEY_ID && { kmsKeyId: env.KMS_KEY_ID }) }),
    queues: {
      cpu: makeBatchQueue(batchClient, {
        queueArn: env.CPU_JOB_QUEUE_ARN,
        jobDefinition: env.JOB_DEFINITION_CPU_ARN,
      }),
      gpu: makeBatchQueue(batchClient, {
        queueArn: env.JOB_QUEUE_ARN,
        jobDefinition: env.JOB_DEFINITION_GPU_ARN,
      }),
    },
    telemetry: makeTelemetry({
      write: (line) => process.stdout.write(line),
      now,
      level: env.LOG_LEVEL,
      stage: env.STAGE,
    }),
    now,
    randomId: () => randomBytes(ID_BYTES).toString('hex'),
  };
}

/** Telemetry and a clock, for what needs neither store nor queue. */
export function realTelemetry(): Pick<FunctionDeps, 'telemetry' | 'now'> {
  const { LOG_LEVEL, STAGE } = readEnv();
  const now = () => new Date();
  const write = (line: string) => process.stdout.write(line);
  return { telemetry: makeTelemetry({ write, now, level: LOG_LEVEL, stage: STAGE }), now };
}
