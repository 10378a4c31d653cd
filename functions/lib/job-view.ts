import { z } from 'zod';
import type { FoundJob } from '../../core/jobs/find-job.ts';
import { folderOf, modelFolder } from '../../core/jobs/keys.ts';
import { JOB_STATUSES, type JobRecord } from '../../core/jobs/record.ts';
import { withoutData, withoutPaths } from '../../core/jobs/redact.ts';

const KINDS = ['audit', 'model-audit', 'mitigation'] as const;

const summaryShape = {
  jobId: z.string(),
  kind: z.enum(KINDS),
  status: z.enum(JOB_STATUSES),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  outcome: z
    .enum(['improved', 'not-improved', 'rejected'])
    .optional()
    .describe('verdict of a mitigation that succeeded'),
  error: z
    .strictObject({ code: z.string(), message: z.string() })
    .optional()
    .describe('why it failed, in a sentence'),
};

/** A job in a listing. */
export const jobSummarySchema = z.strictObject(summaryShape);

export const jobListSchema = z.strictObject({
  jobs: z.array(jobSummarySchema),
  next: z.string().optional().describe('pass it as `after` for more'),
});

/** A job by itself. */
export const jobViewSchema = z.strictObject({
  ...summaryShape,
  settings: z.record(z.string(), z.unknown()).describe('the request without the keys of its inputs'),
  progress: z
    .strictObject({
      stage: z.string(),
      done: z.number(),
      total: z.number(),
      attempt: z.int(),
      updatedAt: z.iso.datetime(),
    })
    .optional()
    .describe('what the worker last told'),
  links: z
    .record(z.string(), z.string())
    .optional()
    .describe('URL of each result by its name, for `linkSeconds` from now'),
  linkSeconds: z.int().optional(),
});

export type JobSummary = z.output<typeof jobSummarySchema>;
export type JobView = z.output<typeof jobViewSchema>;

/** Whoever lists jobs sees that they exist, not what they were made of: keys belong to those who uploaded. */
export function jobSummary({ jobId, request, status, ...record }: JobRecord): JobSummary {
  const { createdAt, updatedAt, outcome, error } = record;
  return {
    jobId,
    kind: request.kind,
    status,
    createdAt,
    updatedAt,
    ...(outcome && { outcome }),
    ...(error && { error: { code: error.code, message: publicMessage(error.message, request) } }),
  };
}

/** Whoever wrote the sentence, it holds no key, no path of the worker's machine and no cell. */
function publicMessage(message: string, request: JobRecord['request']): string {
  const places =
    request.kind === 'audit'
      ? { predictions: request.predictions }
      : {
          manifest: request.manifest,
          model: request.model.replace(/\/$/, ''),
          '': folderOf(request.manifest),
          'model/': modelFolder(request.model),
        };
  return withoutData(withoutPaths(message, places), settingsOf(request));
}

interface Extras {
  readonly progress?: FoundJob['progress'];
  readonly links?: Readonly<Record<string, string>>;
  readonly linkSeconds?: number;
}

export function jobView(record: JobRecord, { progress, links, linkSeconds }: Extras = {}): JobView {
  return {
    ...jobSummary(record),
    settings: settingsOf(record.request),
    ...(progress && { progress }),
    ...(links && Object.keys(links).length > 0 && { links, linkSeconds }),
  };
}

function settingsOf(request: JobRecord['request']): Record<string, unknown> {
  const keys = ['kind', 'predictions', 'manifest', 'model'];
  return Object.fromEntries(Object.entries(request).filter(([name]) => !keys.includes(name)));
}
