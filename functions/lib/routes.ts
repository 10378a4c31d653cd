import { z } from 'zod';
import { auditReportSchema } from '../../core/jobs/audit-schema.ts';
import { isId } from '../../core/jobs/keys.ts';
import { JOB_STATUSES } from '../../core/jobs/record.ts';
import { jobRequestSchema, modelAuditSchema, predictionsAuditSchema } from '../../core/jobs/schema.ts';
import { uploadRequestSchema, uploadSchema } from '../../core/jobs/uploads.ts';
import { jobListSchema, jobViewSchema } from './job-view.ts';
import type { Route } from './route.ts';

const jobIdSchema = z.string().max(63).refine(isId, 'must be the id of a job');
const jobParams = z.strictObject({ id: jobIdSchema });

/** Jobs of one page when the caller does not say. */
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

const listQuery = z.strictObject({
  status: z.enum(JOB_STATUSES).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
  after: jobIdSchema.optional().describe('`next` of the page before'),
});

/** A job was made, or exists since the same request came before. */
const accepted = { summary: 'The job', schema: jobViewSchema, hasLocation: true };

/** Every operation of the API by the name of its handler. */
export const ROUTES = {
  createAudit: {
    method: 'POST',
    path: '/v1/audits',
    summary: 'Audits a table of predictions at once, or anything larger as a job',
    body: z.discriminatedUnion('kind', [predictionsAuditSchema, modelAuditSchema]),
    takesIdempotencyKey: true,
    answers: { 200: { summary: 'What the audit found', schema: auditReportSchema }, 202: accepted },
  },
  createJob: {
    method: 'POST',
    path: '/v1/jobs',
    summary: 'Submits a job; equal requests are one job',
    body: jobRequestSchema,
    takesIdempotencyKey: true,
    answers: { 202: accepted },
  },
  listJobs: {
    method: 'GET',
    path: '/v1/jobs',
    summary: 'Lists jobs, the newest first',
    query: listQuery,
    answers: { 200: { summary: 'A page of jobs', schema: jobListSchema } },
  },
  getJob: {
    method: 'GET',
    path: '/v1/jobs/{id}',
    summary: 'Shows a job with its progress, and links to its results once it has succeeded',
    params: jobParams,
    answers: { 200: { summary: 'The job', schema: jobViewSchema } },
  },
  cancelJob: {
    method: 'DELETE',
    path: '/v1/jobs/{id}',
    summary: 'Cancels a job that has not ended',
    params: jobParams,
    answers: { 200: { summary: 'The cancelled job', schema: jobViewSchema } },
  },
  createUpload: {
    method: 'POST',
    path: '/v1/uploads',
    summary: 'Makes a form that uploads one file',
    body: uploadRequestSchema,
    answers: { 201: { summary: 'The form', schema: uploadSchema } },
  },
  getOpenapi: {
    method: 'GET',
    path: '/v1/openapi.json',
    summary: 'This document',
    answers: { 200: { summary: 'An OpenAPI 3.1 document', schema: z.record(z.string(), z.unknown()) } },
  },
} as const satisfies Readonly<Record<string, Route>>;
