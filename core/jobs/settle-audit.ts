import { z } from 'zod';
import { isCounterweightError } from '../errors.ts';
import { findingSchema, gate, VERDICTS } from '../fairness/policy/gate.ts';
import type { AuditReport } from '../fairness/types.ts';
import type { Definition } from './definitions.ts';
import type { JobDeps } from './deps.ts';
import { inputVersions } from './inputs.ts';
import { alertKey, auditKey, auditPrefix } from './keys.ts';
import { hashOf } from './request-hash.ts';
import { type JobRequest, mitigationSchema } from './schema.ts';
import { createState, readState } from './state.ts';
import { storedAuditSchema } from './stored-audit.ts';
import { submitJob } from './submit-job.ts';

/** `audits/{name}/{time}.json` */
export const scheduledAuditSchema = z.strictObject({
  schemaVersion: z.literal(1),
  definition: z.string(),
  /** Start of the period that it stands for. */
  time: z.iso.datetime(),
  /** null when the definition has no policy. */
  verdict: z.enum(VERDICTS).nullable(),
  findings: z.array(findingSchema),
  /** The mitigation that a failed verdict called for, or why there is none. */
  mitigation: z
    .union([z.strictObject({ jobId: z.string() }), z.strictObject({ error: z.string() })])
    .optional(),
  report: storedAuditSchema,
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
 * Holds a scheduled audit against its policy, submits the mitigation that a failed one calls for, writes it down, and
 * leaves an alert of what was broken. A second call for the same period changes nothing, whatever its report says.
 *
 * @returns the audit as it was written down
 * @throws StorageError when store or queue fail; the next call goes on from there
 */
export async function settleAudit(deps: JobDeps, input: SettleInput): Promise<ScheduledAudit> {
  const { name, definition, slot, report } = input;
  const { verdict, findings } = await judge(deps, input);
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
  const settled = await writeOnce(deps, audit);
  if (settled.verdict === 'fail') await alert(deps, settled);
  return settled;
}

/** The report against the definition's policy, or no verdict without one. */
async function judge(deps: JobDeps, { name, definition: { policy }, slot, report }: SettleInput) {
  if (policy === undefined) return { verdict: null, findings: [] };
  const needsBaseline = policy.rules.some(({ maxWorsening }) => maxWorsening !== undefined);
  return gate(report, policy, needsBaseline ? await reportBefore(deps, name, slot) : null);
}

/** What the last audit before a period found; null when there is none. */
async function reportBefore({ store }: JobDeps, name: string, slot: string): Promise<AuditReport | null> {
  const own = auditKey(name, new Date(slot));
  let last: string | undefined;
  for await (const key of store.listKeys(auditPrefix(name))) {
    if (key >= own) break;
    last = key;
  }
  if (last === undefined) return null;
  return (await readState(store, { key: last, schema: scheduledAuditSchema }))?.value.report ?? null;
}

/** @returns what stands there then: a process that died before may have written it */
async function writeOnce({ store }: JobDeps, audit: ScheduledAudit): Promise<ScheduledAudit> {
  const key = auditKey(audit.definition, new Date(audit.time));
  if ((await createState(store, key, audit)) !== null) return audit;
  return (await readState(store, { key, schema: scheduledAuditSchema }))?.value ?? audit;
}

/** One object for each audit that failed its policy, created once, so that whoever watches the prefix hears of it once. */
async function alert({ store }: JobDeps, { definition, time, findings }: ScheduledAudit): Promise<void> {
  const broken = findings.filter(({ verdict }) => verdict === 'fail');
  await createState(store, alertKey(definition, new Date(time)), {
    schemaVersion: 1,
    definition,
    time,
    findings: broken,
  });
}

type Mitigation = Extract<JobRequest, { kind: 'mitigation' }>;

function mitigationOf({ request, mitigateOnFailure }: Definition): Mitigation | null {
  if (typeof mitigateOnFailure === 'object') return mitigateOnFailure;
  if (!mitigateOnFailure || request.kind !== 'model-audit') return null;
  const shared = Object.entries(request).filter(([field]) => field in mitigationSchema.shape);
  return mitigationSchema.parse({ ...Object.fromEntries(shared), kind: 'mitigation' });
}

/**
 * A mitigation that cannot start is part of what is written down; the audit stands without it. While table and model
 * stay what they are, another run would cost a machine and find the same, so every period gets the one job of theirs.
 */
async function submitMitigation(deps: JobDeps, { name }: SettleInput, request: Mitigation) {
  try {
    const inputs = await inputVersions(deps.store, request);
    const idempotencyKey = `definition:${name}:${hashOf(request, inputs)}`;
    return { jobId: (await submitJob(deps, request, { idempotencyKey })).jobId };
  } catch (error) {
    if (isCounterweightError(error) && error.code === 'INVALID_INPUT') return { error: error.message };
    throw error;
  }
}
