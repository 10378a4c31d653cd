import type { ErrorCode } from '../../core/errors.ts';
import { type CounterweightError, isCounterweightError } from '../../core/errors.ts';

/** What a client is told of an error. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly issues?: readonly string[];
}

/** Errors that a client can do something about; every other one is a 500. */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  INVALID_INPUT: 400,
  JOB_NOT_FOUND: 404,
  CONFLICT: 409,
  JOB_CONFLICT: 409,
  EMPTY_GROUP: 422,
  UNSUPPORTED_MODEL: 422,
  STORAGE: 503,
};

/** From 500 on, the error's own text may name files, keys and addresses; these are said instead. */
const UNEXPECTED: Problem = {
  status: 500,
  code: 'INTERNAL',
  message: 'something went wrong here; name the requestId when you report it',
};
const UNAVAILABLE: Problem = {
  status: 503,
  code: 'UNAVAILABLE',
  message: 'a service behind this one does not answer; try again in a moment',
};

export function problemOf(error: unknown): Problem {
  if (!isCounterweightError(error)) return UNEXPECTED;
  const status = STATUS[error.code] ?? UNEXPECTED.status;
  if (status >= 500) return status === UNAVAILABLE.status ? UNAVAILABLE : UNEXPECTED;
  return { status, code: error.code, message: error.message, ...issuesOf(error.details.issues) };
}

/** What a log line says of an error: a code, or the name of one that nobody foresaw; never its text. */
export function codeOf(error: unknown): string {
  if (isCounterweightError(error)) return error.code;
  return `INTERNAL ${error instanceof Error ? error.name : typeof error}`;
}

/** The rules that an input breaks, without what it holds instead, for a log line. */
export function rulesOf({ details, message }: CounterweightError): string[] {
  const { issues = [message] } = issuesOf(details.issues);
  return issues.map((issue) => issue.replace(/, received .*$/s, ''));
}

function issuesOf(issues: unknown): { issues?: string[] } {
  return Array.isArray(issues) ? { issues: issues.map(String) } : {};
}
