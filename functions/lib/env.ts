import { z } from 'zod';
import { parseWith } from '../../core/data/parse.ts';
import { LOG_LEVELS } from './telemetry.ts';

const text = z.string().min(1);

/**
 * Set by serverless.yml for every function, but for AWS's own names: Lambda sets the region, and tests point the two
 * endpoints at stand-ins.
 */
const envSchema = z.object({
  BUCKET: text,
  KMS_KEY_ID: text.optional(),
  /** Queue and job definition of mitigations. */
  JOB_QUEUE_ARN: text,
  JOB_DEFINITION_GPU_ARN: text,
  /** Queue and job definition of audits. */
  CPU_JOB_QUEUE_ARN: text,
  JOB_DEFINITION_CPU_ARN: text,
  AWS_REGION: text.default('us-east-1'),
  STAGE: text.optional(),
  LOG_LEVEL: z.string().toLowerCase().pipe(z.enum(LOG_LEVELS)).default('info'),
  AWS_ENDPOINT_URL_S3: z.url().optional(),
  AWS_ENDPOINT_URL_BATCH: z.url().optional(),
});
export type Env = z.output<typeof envSchema>;

/** All that functions read of the environment. */
export const VARIABLES: readonly string[] = Object.keys(envSchema.shape);

/** @throws InvalidInputError naming each variable that is missing; never a value */
export function readEnv(source: Readonly<Record<string, string | undefined>> = process.env): Env {
  return parseWith(envSchema, source, 'environment');
}
