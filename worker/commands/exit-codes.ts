import type { ErrorCode } from '../../core/errors.ts';
import { isCounterweightError } from '../../core/errors.ts';

/** Exit codes of sysexits.h where one fits; 75 alone means that the same call may succeed later. */
export const EXIT_CODES = {
  NOT_IMPROVED: 10,
  POLICY_FAILED: 11,
  POLICY_INCONCLUSIVE: 12,
  RUN_DIFFERS: 13,
  DATA_UNFIT: 65,
  INVALID_INPUT: 64,
  EMPTY_GROUP: 65,
  UNSUPPORTED_MODEL: 65,
  SHAPE_MISMATCH: 65,
  NON_FINITE: 70,
  UNEXPECTED: 70,
  JOB_NOT_FOUND: 64,
  JOB_CONFLICT: 64,
  CONFLICT: 75,
  STORAGE: 75,
  BACKEND_UNAVAILABLE: 75,
  INTERRUPTED: 130,
} as const satisfies Record<
  | ErrorCode
  | 'NOT_IMPROVED'
  | 'POLICY_FAILED'
  | 'POLICY_INCONCLUSIVE'
  | 'RUN_DIFFERS'
  | 'DATA_UNFIT'
  | 'UNEXPECTED',
  number
>;

/** What the file system says of a path that will not do next time either. */
const LASTING = [
  'ENOENT',
  'EEXIST',
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EACCES',
  'EPERM',
  'EROFS',
];

/** Exit code for an error. A file that is not there will not be there next time either, so it is no 75. */
export function exitCodeOf(error: unknown): number {
  if (!isCounterweightError(error)) return EXIT_CODES.UNEXPECTED;
  return error.code === 'STORAGE' && isLasting(error.cause)
    ? EXIT_CODES.INVALID_INPUT
    : EXIT_CODES[error.code];
}

function isLasting(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && LASTING.includes(String(error.code))) || isLasting(error.cause);
}
