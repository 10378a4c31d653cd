import { describe, expect, it } from 'vitest';
import {
  BackendUnavailableError,
  ConflictError,
  EmptyGroupError,
  InvalidInputError,
  JobConflictError,
  JobNotFoundError,
  NonFiniteError,
  ShapeMismatchError,
  StorageError,
  UnsupportedModelError,
} from '../../../core/errors.ts';
import { codeOf, problemOf, rulesOf } from '../../../functions/lib/problem.ts';

describe('problemOf', () => {
  it.each([
    [400, InvalidInputError],
    [404, JobNotFoundError],
    [409, JobConflictError],
    [409, ConflictError],
    [422, EmptyGroupError],
    [422, UnsupportedModelError],
  ])('answers %i with the text of an error that a client can do something about', (status, Failure) => {
    const error = new Failure('what, where', { secret: 1 });
    expect(problemOf(error)).toEqual({ status, code: error.code, message: 'what, where' });
  });

  it.each([
    [500, new ShapeMismatchError('s3://bucket')],
    [500, new NonFiniteError('s3://bucket')],
    [500, new BackendUnavailableError('s3://bucket')],
    [503, new StorageError('s3://bucket')],
    [500, new TypeError('s3://bucket')],
    [500, 's3://bucket'],
    [500, null],
  ])('answers %i without a word of the error', (status, error) => {
    const problem = problemOf(error);
    expect(problem.status).toBe(status);
    expect(JSON.stringify(problem)).not.toContain('bucket');
  });

  it('goes by the code of an error, so that another bundle of ours may throw it', () => {
    const foreign = Object.assign(new Error('gone'), { code: 'JOB_NOT_FOUND', details: {} });
    expect(problemOf(foreign).status).toBe(404);
  });

  it('repeats the issues of an input', () => {
    const error = new InvalidInputError('body: a; b', { issues: ['a', 'b'] });
    expect(problemOf(error).issues).toEqual(['a', 'b']);
    expect(problemOf(new InvalidInputError('x', { issues: 'a' }))).not.toHaveProperty('issues');
  });
});

describe('codeOf', () => {
  it('names an unforeseen error by its class alone', () => {
    expect(codeOf(new RangeError('row 7'))).toBe('INTERNAL RangeError');
    expect(codeOf('row 7')).toBe('INTERNAL string');
    expect(codeOf(new StorageError('row 7'))).toBe('STORAGE');
  });
});

describe('rulesOf', () => {
  it('leaves out what was received', () => {
    const issues = ['"kind" must be one of "a", "b", received "row\n7"', 'unknown key "x"'];
    expect(rulesOf(new InvalidInputError('', { issues }))).toEqual([
      '"kind" must be one of "a", "b"',
      'unknown key "x"',
    ]);
    expect(rulesOf(new InvalidInputError('body: expected JSON, received text'))).toEqual([
      'body: expected JSON',
    ]);
  });
});
