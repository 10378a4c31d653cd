import { z } from 'zod';
import { isCounterweightError } from '../errors.ts';
import type { AuditReport } from '../fairness/types.ts';
import { auditReportSchema } from './audit-schema.ts';
import type { Definition } from './definitions.ts';
import type { JobDeps } from './deps.ts';
import { auditKey } from './keys.ts';
import { checkLimits, findingSchema, overallVerdict, VERDICTS } from './policy.ts';
import { hashOf } from './request-hash.ts';
import type { JobRequest } from './schema.ts';
import { createState } from './state.ts';
import { submitJob } from './submit-job.ts';

/** `audits/{name}/{time}.json` */
export const scheduledAuditSchema = z.strictObject({
  schemaVersion: z.literal(1),
  definition: z.string(),
  /** Start of the period that it stands for. */
  time: z.iso.datetime(),
  /** null when the definition sets no limits. */
  verdict: z.enum(VERDICTS).nullable(),
  findings: z.array(findingSchema),
  /** The mitigation that a failed verdict called for, or why there is none. */
  mitigation: z
    .union([z.strictObject({ jobId: z.string() }), z.strictObject({ error: z.string() })])
    .optional(),
  report: auditReportSchema,
});
export type ScheduledAudit = z.output<typeof scheduledAuditSchema>;

export interface SettleInput {
  readonly name: string;
  readonly definition: Definition;
  /** Start of the period. */
  readonly slot: string;
  readonly report: AuditReport;
}

/**
 * Holds a scheduled audit against its limits, submits the mitigation that a broken one calls for, and writes it
 * down. A second call for the same period changes nothing.
 */
export async function settleAudit(deps: JobDeps, input: SettleInput): Promise<ScheduledAudit> {
  const { name, definition, slot, report } = input;
  const findings = checkLimits(report, definition.limits);
  const verdict = overallVerdict(findings);
  const request = verdict === 'fail' ? mitigationOf(definition) : null;
  const audit: ScheduledAudit = {
    schemaVersion: 1,
    definition: name,
    time: slot,
    verdict,
    findings,
    ...(request !== null && { mitigation: await submitMitigation(deps, input, request) }),
    report,
  };
  await createState(deps.store, auditKey(name, new Date(slot)), audit);
  return audit;
}

function mitigationOf({ request, mitigateOnFailure }: Definition): JobRequest | null {
  if (typeof mitigateOnFailure === 'object') return mitigateOnFailure;
  if (!mitigateOnFailure || request.kind !== 'model-audit') return null;
  const { only: _, ...source } = request;
  return { ...source, kind: 'mitigation', preset: 'robust', seed: 0, shards: 1 };
}

/** A mitigation that cannot start is part of what is written down; the audit stands without it. */
async function submitMitigation(deps: JobDeps, { name, slot }: SettleInput, request: JobRequest) {
  const idempotencyKey = `definition:${name}:${slot}:${hashOf(request)}`;
  try {
    return { jobId: (await submitJob(deps, request, { idempotencyKey })).jobId };
  } catch (error) {
    if (isCounterweightError(error) && error.code === 'INVALID_INPUT') return { error: error.message };
    throw error;
  }
}
