import { withGate } from '../core/fairness/policy/gate.ts';
import { submitJob } from '../core/jobs/submit-job.ts';
import { accepted } from './lib/answers.ts';
import { type AuditDeps, realAuditDeps } from './lib/audit-deps.ts';
import type { HttpHandler } from './lib/events.ts';
import { makeApiHandler } from './lib/http.ts';
import { onFirstCall } from './lib/lambda.ts';
import { ROUTES } from './lib/routes.ts';

/** A function of Lambda answers with 6 MB at most; a longer report is read from a job's results. */
const LARGEST_ANSWER_BYTES = 5 * 2 ** 20;

/** POST /v1/audits */
export function makeCreateAudit(deps: AuditDeps): HttpHandler {
  return makeApiHandler(ROUTES.createAudit, deps, async ({ body, idempotencyKey }) => {
    const audit = body.kind === 'audit' ? await deps.auditTable(body) : null;
    const report = audit && withGate(audit, body.policy);
    if (report !== null && Buffer.byteLength(JSON.stringify(report)) <= LARGEST_ANSWER_BYTES) {
      return { status: 200, body: report };
    }
    return accepted(await submitJob(deps, body, { idempotencyKey }));
  });
}

export const handler = onFirstCall(realAuditDeps, makeCreateAudit);
