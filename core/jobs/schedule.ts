import { z } from 'zod';
import { isCounterweightError } from '../errors.ts';
import type { AuditReport } from '../fairness/types.ts';
import { type Definition, slotOf } from './definitions.ts';
import type { JobDeps } from './deps.ts';
import { findJob } from './find-job.ts';
import { AUDIT_RESULT, definitionLockKey, resultKey } from './keys.ts';
import { isFinal, type JobRecord } from './record.ts';
import { hashOf } from './request-hash.ts';
import type { JobRequest } from './schema.ts';
import { type ScheduledAudit, settleAudit } from './settle-audit.ts';
import { createState, isDamage, readRepairable, replaceState } from './state.ts';
import { storedAuditSchema } from './stored-audit.ts';
import { submitJob } from './submit-job.ts';

/** Longer than any function may run: whoever holds a lock for longer has died. */
const LEASE_MS = 20 * 60 * 1000;
/** Tries of one step at consecutive calls, and how long the audit then waits for another. */
const MAX_ATTEMPTS = 3;
const PAUSE_MS = 6 * 3_600_000;
/** Of tens of thousands of groups; a function has no memory for much longer ones. */
const MAX_REPORT_BYTES = 64 * 2 ** 20;

/** `locks/definition-{name}.json`: how far the audit of a period has come. */
const runSchema = z.strictObject({
  /** Start of the period. */
  slot: z.iso.datetime(),
  /** `waiting`: for its job. `failed`: to be tried again. `done`: audited, or its job failed for good. */
  status: z.enum(['running', 'waiting', 'done', 'failed']),
  /** When the present holder took the lock. */
  heldSince: z.iso.datetime(),
  attempts: z.int().min(0),
  /** Hash of the definition that was tried: what failed is tried anew once it is corrected. */
  definition: z.string().optional(),
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
  const state = await readRepairable(deps.store, { key, schema: runSchema });
  if (await isWaiting(deps, state?.value)) return 'waiting';
  const slot = slotOf(named.definition.every, deps.now());
  const run = nextRun(state?.value ?? null, { slot, definition: hashOf(named.definition), now: deps.now() });
  if (run === null) return 'skipped';
  const etag = await takeLock(deps, { key, etag: state?.etag, run });
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

async function isWaiting(deps: ScheduleDeps, run: Run | null | undefined): Promise<boolean> {
  if (run?.status !== 'waiting' || run.jobId === undefined) return false;
  const record = await recordOf(deps, run.jobId);
  return record !== null && !isFinal(record.status);
}

/** null for a job that nobody will bring to an end: its record is gone or damaged. */
async function recordOf(deps: JobDeps, jobId: string): Promise<JobRecord | null> {
  try {
    return (await findJob(deps, jobId)).record;
  } catch (error) {
    if (isDamage(error) || (isCounterweightError(error) && error.code === 'JOB_NOT_FOUND')) return null;
    throw error;
  }
}

/** What to do now, as the lock will say it; null when there is nothing. */
function nextRun(
  last: Run | null,
  { slot, definition, now }: { readonly slot: Date; readonly definition: string; readonly now: Date },
): Run | null {
  const heldSince = now.toISOString();
  const first: Run = { slot: slot.toISOString(), status: 'running', heldSince, attempts: 1, definition };
  if (last === null) return first;
  const isHeld = last.status === 'running' && now.getTime() - Date.parse(last.heldSince) < LEASE_MS;
  if (isHeld || Date.parse(last.slot) > slot.getTime()) return null;
  if (last.status === 'failed' && last.definition !== definition) return first;
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
  /** Of the lock as it was read; absent where there was none. */
  readonly etag: string | undefined;
  readonly run: Run;
}

/** @returns the etag of the lock; null when another process was first */
function takeLock({ store }: ScheduleDeps, { key, etag, run }: LockInput): Promise<string | null> {
  return etag === undefined ? createState(store, key, run) : replaceState(store, { key, etag, value: run });
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

/** What a job found; null when it failed, was cancelled or left nothing that can be read. */
async function collect(deps: ScheduleDeps, jobId: string): Promise<AuditReport | null> {
  const record = await recordOf(deps, jobId);
  if (record?.status !== 'succeeded') return null;
  const key = resultKey(jobId, AUDIT_RESULT);
  const info = await deps.store.info(key);
  if (info === null || info.bytes > MAX_REPORT_BYTES) return null;
  const state = await readRepairable(deps.store, { key, schema: storedAuditSchema });
  return state?.value ?? null;
}
