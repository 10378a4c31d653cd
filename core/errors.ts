/** Discriminant of every error that this project throws on purpose. */
export type ErrorCode =
  | 'INVALID_INPUT'
  | 'EMPTY_GROUP'
  | 'UNSUPPORTED_MODEL'
  | 'SHAPE_MISMATCH'
  | 'NON_FINITE'
  | 'STORAGE'
  | 'CONFLICT'
  | 'JOB_NOT_FOUND'
  | 'JOB_CONFLICT'
  | 'BACKEND_UNAVAILABLE'
  | 'INTERRUPTED';

export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * Base of the family. A message says what, where, expected and received; `details` says it to a program.
 * An error never carries row data, pixels, keys or secrets. Callers guard by `code`, since two bundles may
 * each hold their own copy of a class. HTTP status and exit code are looked up at the edge.
 */
export abstract class CounterweightError extends Error {
  abstract readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.details = details;
  }
}

/** A request, option, table, image or model file does not have the form it must have. */
export class InvalidInputError extends CounterweightError {
  override readonly name = 'InvalidInputError';
  override readonly code = 'INVALID_INPUT';
}

/** A rate or a loss has no samples behind it. */
export class EmptyGroupError extends CounterweightError {
  override readonly name = 'EmptyGroupError';
  override readonly code = 'EMPTY_GROUP';
}

/** The model is readable, but it is none that this method can tune: no head found, wrong output shape. */
export class UnsupportedModelError extends CounterweightError {
  override readonly name = 'UnsupportedModelError';
  override readonly code = 'UNSUPPORTED_MODEL';
}

/** Two shapes disagree (`details.where`, `expected`, `received`). */
export class ShapeMismatchError extends CounterweightError {
  override readonly name = 'ShapeMismatchError';
  override readonly code = 'SHAPE_MISMATCH';
}

/** NaN or an infinity in a score, loss, gradient or importance (`details.where`). */
export class NonFiniteError extends CounterweightError {
  override readonly name = 'NonFiniteError';
  override readonly code = 'NON_FINITE';
}

/** A file could not be read or written; the file system's error is the `cause`. */
export class StorageError extends CounterweightError {
  override readonly name = 'StorageError';
  override readonly code = 'STORAGE';
}

/** A conditional write found other content than it expected. */
export class ConflictError extends CounterweightError {
  override readonly name = 'ConflictError';
  override readonly code = 'CONFLICT';
}

/** No job has this id. */
export class JobNotFoundError extends CounterweightError {
  override readonly name = 'JobNotFoundError';
  override readonly code = 'JOB_NOT_FOUND';
}

/** A job cannot go from the status that it has to the one asked for. */
export class JobConflictError extends CounterweightError {
  override readonly name = 'JobConflictError';
  override readonly code = 'JOB_CONFLICT';
}

/** The asked-for backend cannot start here. */
export class BackendUnavailableError extends CounterweightError {
  override readonly name = 'BackendUnavailableError';
  override readonly code = 'BACKEND_UNAVAILABLE';
}

/** The user or the system stopped the work. */
export class InterruptedError extends CounterweightError {
  override readonly name = 'InterruptedError';
  override readonly code = 'INTERRUPTED';
}

/** Is this one of ours? By `code`, not by class, so it holds across bundles. */
export function isCounterweightError(error: unknown): error is CounterweightError {
  return error instanceof Error && 'code' in error && 'details' in error;
}
