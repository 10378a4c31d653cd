import { isCounterweightError } from '../core/errors.ts';
import { loadDefinitions, type NamedDefinition } from '../core/jobs/definitions.ts';
import { runDefinition } from '../core/jobs/schedule.ts';
import type { ScheduledAudit } from '../core/jobs/settle-audit.ts';
import { type AuditDeps, realAuditDeps } from './lib/audit-deps.ts';
import type { EventHandler } from './lib/events.ts';
import { makeEventHandler, onFirstCall } from './lib/lambda.ts';
import { lookAtDataSets, lookAtJobs } from './lib/look-again.ts';
import { codeOf, rulesOf } from './lib/problem.ts';
import type { Telemetry } from './lib/telemetry.ts';

/** EventBridge Scheduler, every few minutes: what no event tells of, then the definitions that are due. */
export function makeOnSchedule(deps: AuditDeps): EventHandler {
  return makeEventHandler(deps, async () => {
    const failures: unknown[] = [];
    for (const step of [lookAtJobs, lookAtDataSets, runDefinitions]) {
      await step(deps).catch((error: unknown) => failures.push(error));
    }
    // Only after all steps had their turn; what is done already is not done again when the event comes again.
    if (failures.length > 0) throw failures[0];
  });
}

async function runDefinitions(deps: AuditDeps): Promise<void> {
  for (const named of await loadDefinitions(deps.store)) {
    if (deps.isClosing?.()) return;
    await runOne(deps, named);
  }
}

/** A definition that fails does not hold up the next one; it is due again at the next call. */
async function runOne(deps: AuditDeps, named: NamedDefinition): Promise<void> {
  const { telemetry, auditTable: audit } = deps;
  const { name: definition } = named;
  const fail = (code: string, issues?: string[]) => {
    telemetry.log('error', 'scheduled audit failed', { definition, code, ...(issues && { issues }) });
    telemetry.metric('ScheduledAuditFailure', 1, { definition });
  };
  if ('error' in named) return fail(named.error.code, rulesOf(named.error));
  const announce = (result: ScheduledAudit) => announceAudit(telemetry, result);
  try {
    const outcome = await runDefinition({ ...deps, audit, announce }, named);
    if (outcome === 'job-failed') return fail('JOB_FAILED');
    telemetry.log('info', 'scheduled audit', { definition, status: outcome });
  } catch (error) {
    fail(
      codeOf(error),
      isCounterweightError(error) && error.code === 'INVALID_INPUT' ? rulesOf(error) : undefined,
    );
  }
}

/** Zeros count too: an alarm that hears nothing cannot tell a good week from a dead scheduler. */
function announceAudit(telemetry: Telemetry, { definition, verdict, mitigation }: ScheduledAudit): void {
  const jobId = mitigation !== undefined && 'jobId' in mitigation ? mitigation.jobId : undefined;
  telemetry.log('info', 'scheduled audit has its verdict', {
    definition,
    status: verdict ?? 'no policy',
    ...(jobId !== undefined && { jobId }),
  });
  telemetry.metric('PolicyFailure', verdict === 'fail' ? 1 : 0, { definition });
  telemetry.metric('PolicyInconclusive', verdict === 'inconclusive' ? 1 : 0, { definition });
}

export const handler = onFirstCall(realAuditDeps, makeOnSchedule);
