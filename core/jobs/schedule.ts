import { z } from 'zod';
import type { AuditReport } from '../fairness/types.ts';
import { auditReportSchema } from './audit-schema.ts';
import { type Definition, slotOf } from './definitions.ts';
import type { JobDeps } from './deps.ts';
import { findJob } from './find-job.ts';
import { AUDIT_RESULT, definitionLockKey, resultKey } from './keys.ts';
import { isFinal } from './record.ts';
import { hashOf } from './request-hash.ts';
import type { JobRequest } from './schema.ts';
import { type ScheduledAudit, settleAudit } from './settle-audit.ts';
import { createState, readState, replaceState, type State } from './state.ts';
import { submitJob } from './submit-job.ts';

/** Longer than any function may run: whoever holds a lock for longer has died. */
const LEASE_MS = 20 * 60 * 1000;
/** Tries of one step at consecutive calls, and how long the audit then waits for another. */
const MAX_ATTEMPTS = 3;
const PAUSE_MS = 6 * 3_600_000;

/** `locks/definition-{name}.json`: how far the audit of a period has come. */
const runSchema = z.strictObject({
  /** Start of the period. */
  slot: z.iso.datetime(),
  /** `waiting`: for its job. `failed`: to be tried again. `done`: audited, or its job failed for good. */
  status: z.enum(['running', 'waiting', 'done', 'failed']),
  /** When the present holder took the lock. */
  heldSince: z.iso.datetime(),
  attempts: z.int().min(0),
  jobId: z.string().optional(),
});
type Run = z.output<typeof runSchema>;

export interface ScheduleDeps extends JobDeps {
  /** Audits at once; null when the table is too large for that. */
  readonly audit: (request: Extract<JobRequest, { kind: 'audit' }>) => Promise<AuditReport | null>;
  /** Hears of an audit before it counts as done: perhaps twice, never not at all. */
  readonly announce: (audit: ScheduledAudit) => void;
}

/** `skipped`: nothing is due, or another process is at it. */
export type RunOutcome = 'skipped' | 'waiting' | 'done' | 'job-failed';

interface Named {
  readonly name: string;
  readonly definition: Definition;
}

/**
 * Audits one definition if its period has not been audited yet; where that takes a job, submits it in one call and
 * collects it in a later one. Of several callers at once one does it, by conditional writes of the lock.
 *
 * @throws whatever the audit throws; the next calls try again, up to three in a row and another every six hours
 */
export async function runDefinition(deps: ScheduleDeps, named: Named): Promise<RunOutcome> {
  const key = definitionLockKey(named.name);
  const state = await readState(deps.store, { key, schema: runSchema });
  if (state !== null && (await isWaiting(deps, state.value))) return 'waiting';
  const slot = slotOf(named.definition.every, deps.now());
  const run = nextRun(state?.value ?? null, slot, deps.now());
  if (run === null) return 'skipped';
  const etag = await takeLock(deps, { key, state, run });
  if (etag === null) return 'skipped';
  const end = (value: Run) => replaceState(deps.store, { key, etag, value });
  try {
    const { next, outcome } = await advance(deps, named, run);
    await end(next);
    return outcome;
  } catch (error) {
    await end({ ...run, status: 'failed' });
    throw error;
  }
}

async function isWaiting(deps: ScheduleDeps, { status, jobId }: Run): Promise<boolean> {
  if (status !== 'waiting' || jobId === undefined) return false;
  return !isFinal((await findJob(deps, jobId)).record.status);
}

/** What to do now, as the lock will say it; null when there is nothing. */
function nextRun(last: Run | null, slot: Date, now: Date): Run | null {
  const heldSince = now.toISOString();
  const first: Run = { slot: slot.toISOString(), status: 'running', heldSince, attempts: 1 };
  if (last === null) return first;
  const isHeld = last.status === 'running' && now.getTime() - Date.parse(last.heldSince) < LEASE_MS;
  if (isHeld || Date.parse(last.slot) > slot.getTime()) return null;
  const isCurrent = last.slot === first.slot;
  const isTired = last.attempts >= MAX_ATTEMPTS && now.getTime() - Date.parse(last.heldSince) < PAUSE_MS;
  const isOpen = last.status !== 'done' && !isTired;
  // A job of an earlier period is collected first: what it found must not be lost.
  if (isOpen && (isCurrent || last.jobId !== undefined)) {
    return { ...last, status: 'running', heldSince, attempts: last.attempts + 1 };
  }
  return isCurrent ? null : first;
}

interface LockInput {
  readonly key: string;
  readonly state: State<Run> | null;
  readonly run: Run;
}

/** @returns the etag of the lock; null when another process was first */
function takeLock({ store }: ScheduleDeps, { key, state, run }: LockInput): Promise<string | null> {
  return state === null
    ? createState(store, key, run)
    : replaceState(store, { key, etag: state.etag, value: run });
}

/** One step of a run that this process holds: audit or submit, or collect what was submitted. */
async function advance(
  deps: ScheduleDeps,
  { name, definition }: Named,
  run: Run,
): Promise<{ next: Run; outcome: RunOutcome }> {
  const { request } = definition;
  const report =
    run.jobId === undefined
      ? request.kind === 'audit' && (await deps.audit(request))
      : await collect(deps, run.jobId);
  if (report) {
    deps.announce(await settleAudit(deps, { name, definition, slot: run.slot, report }));
    return { next: { ...run, status: 'done' }, outcome: 'done' };
  }
  if (run.jobId !== undefined) {
    return { next: { ...run, status: 'done' }, outcome: 'job-failed' };
  }
  const idempotencyKey = `audit:${name}:${run.slot}:${hashOf(request)}`;
  const { jobId } = await submitJob(deps, request, { idempotencyKey });
  return { next: { ...run, status: 'waiting', attempts: 0, jobId }, outcome: 'waiting' };
}

/** What a job found; null when it failed or was cancelled. */
async function collect(deps: ScheduleDeps, jobId: string): Promise<AuditReport | null> {
  const { record } = await findJob(deps, jobId);
  if (record.status !== 'succeeded') return null;
  const state = await readState(deps.store, {
    key: resultKey(jobId, AUDIT_RESULT),
    schema: auditReportSchema,
  });
  return state?.value ?? null;
}
