import type { JobRecord } from '../../core/jobs/record.ts';
import { jobView } from './job-view.ts';
import type { ApiAnswer } from './route.ts';

/** 202: the job that a request became, and where to follow it. */
export function accepted(record: JobRecord): ApiAnswer {
  const headers = { location: `/v1/jobs/${record.jobId}` };
  return { status: 202, body: jobView(record), headers };
}
