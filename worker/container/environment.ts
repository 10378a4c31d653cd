import { z } from 'zod';
import { InvalidInputError } from '../../core/errors.ts';
import { isId } from '../../core/jobs/keys.ts';
import { BACKENDS } from '../backend.ts';

const text = z.string('must be text');

/** A whole number, as a queue writes it. */
const whole = (least: number) => {
  const rule = `must be a whole number of at least ${least}`;
  return z.string(rule).regex(/^\d+$/, rule).transform(Number).pipe(z.int(rule).min(least, rule));
};

const environmentSchema = z
  .object({
    JOB_ID: z.string('must be the id of a job').refine(isId, 'must be the id of a job'),
    TASK: z.enum(['job', 'shard', 'reduce'], 'must be one of job, shard, reduce').default('job'),
    /** Which process of an array job this is. */
    AWS_BATCH_JOB_ARRAY_INDEX: whole(0).optional(),
    AWS_BATCH_JOB_ATTEMPT: whole(1).default(1),
    ATTEMPTS: whole(1).default(1),
    BACKEND: z.enum(BACKENDS, `must be one of ${BACKENDS.join(', ')}`).default('auto'),
    /** 1: work fails, to be tried on another machine, rather than runs for hours beside the GPU that is paid for. */
    REQUIRE_GPU: z
      .enum(['0', '1'], 'must be 0 or 1')
      .default('0')
      .transform((value) => value === '1'),
    /** Of backend wasm; by default one for each core. */
    THREADS: whole(1).optional(),
    /** Either a bucket or a folder. */
    BUCKET: text.optional(),
    KMS_KEY_ID: text.optional(),
    AWS_REGION: text.optional(),
    AWS_ENDPOINT_URL_S3: z.url('must be a URL').optional(),
    STORE_ROOT: text.optional(),
  })
  .refine(({ BUCKET, STORE_ROOT }) => (BUCKET === undefined) !== (STORE_ROOT === undefined), {
    error: 'must be set, or STORE_ROOT, and not both',
    path: ['BUCKET'],
  })
  .refine(
    ({ TASK, AWS_BATCH_JOB_ARRAY_INDEX }) => TASK !== 'shard' || AWS_BATCH_JOB_ARRAY_INDEX !== undefined,
    {
      error: 'must be set for a shard',
      path: ['AWS_BATCH_JOB_ARRAY_INDEX'],
    },
  );
export type Environment = z.output<typeof environmentSchema>;

/**
 * What the queue tells this process. A variable that is empty counts as absent.
 *
 * @throws InvalidInputError naming each wrong variable and its rule, never its value
 */
export function parseEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const result = environmentSchema.safeParse(given);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  throw new InvalidInputError(`environment: ${issues.join('; ')}`, { where: 'environment', issues });
}
