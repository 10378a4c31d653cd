import { describe, expect, it } from 'vitest';
import { EmptyGroupError, InvalidInputError, StorageError } from '../../../core/errors.ts';
import { reasonOf, withoutKeys } from '../../../worker/container/reason.ts';
import { queuedRecord, TABLE_SOURCE } from '../../helpers/worker-process.ts';

const FOLDER = '/tmp/counterweight-work-1';
const { request } = queuedRecord('job-1', { kind: 'mitigation', ...TABLE_SOURCE });
const context = { request, folder: FOLDER, inputs: `${FOLDER}/inputs` };
const messageOf = (message: string) => reasonOf(new InvalidInputError(message), context).message;

describe('reasonOf', () => {
  it('names files of the temporary folder by their keys', () => {
    const table = `${FOLDER}/inputs/uploads/made/rows.csv`;
    expect(messageOf(`${table}, line 3: see ${table}`)).toBe(
      'uploads/made/rows.csv, line 3: see uploads/made/rows.csv',
    );
    expect(messageOf(`output "${FOLDER}/results": cannot be written`)).toBe('output "…": cannot be written');
    expect(messageOf(`${FOLDER}: cannot be read`)).toBe('the folder: cannot be read');
  });

  it('repeats no text of a table but what the request names itself', () => {
    expect(
      messageOf(
        't.csv: expected a column "malignant", received the columns "Jane Doe", "7 \\"Elm\\" St", "ink"',
      ),
    ).toBe('t.csv: expected a column "malignant", received the columns "…", "…", "ink"');
    expect(
      messageOf('2 of 9 images cannot be used: line 2, image "images/Doe, Jane.png": expected a JPEG'),
    ).toBe('2 of 9 images cannot be used: line 2, image "…": expected a JPEG');
  });

  it.each([
    'options: "body.epochs" must be at most 1000, received 5000',
    'model file "weights.bin": does not exist',
    'uploads/made/table-model/preprocess.json: "resize" must be one of "stretch", "cover"',
    'gradient of "dense/kernel": expected finite numbers, received NaN or an infinity',
    'group "north" has no positive labels among 40 samples, expected at least 2',
    'model "uploads/made/table-model": no such file or folder',
  ])('keeps the names of settings, weights and groups: %s', (message) => {
    expect(messageOf(message)).toBe(message);
  });

  it('keeps the code, but calls a file that is absent an invalid input', () => {
    const absent = Object.assign(new Error('x'), { code: 'ENOENT' });
    const full = Object.assign(new Error('x'), { code: 'ENOSPC' });
    const codeOf = (error: unknown) => reasonOf(error, context).code;
    expect(codeOf(new EmptyGroupError('x'))).toBe('EMPTY_GROUP');
    expect(codeOf(new StorageError('x', {}, { cause: absent }))).toBe('INVALID_INPUT');
    expect(codeOf(new StorageError('x', {}, { cause: full }))).toBe('STORAGE');
  });

  it('says nothing of what it does not know', () => {
    expect(reasonOf(new TypeError('Jane Doe'), context)).toEqual({
      code: 'UNEXPECTED',
      message: 'the worker failed unexpectedly; its log says where',
    });
  });

  it('knows no text before the request was read', () => {
    const error = new InvalidInputError('t.csv: expected a column "malignant"');
    expect(reasonOf(error, { ...context, request: null }).message).toBe('t.csv: expected a column "…"');
  });
});

describe('withoutKeys', () => {
  it('calls inputs by what they are to the request', () => {
    const message = 'uploads/made/rows.csv: see uploads/made/table-model/model.json';
    expect(withoutKeys(message, request)).toBe('manifest: see model/model.json');
    const audit = queuedRecord('job-1', {
      kind: 'audit',
      predictions: 'uploads/a/p.csv',
      columns: { label: 'y', score: 'p', sensitiveFeatures: ['s'] },
    });
    expect(withoutKeys('uploads/a/p.csv, line 2: no', audit.request)).toBe('predictions, line 2: no');
    expect(withoutKeys('job: none', null)).toBe('job: none');
  });

  it('names a model by its file, and what lies beside it', () => {
    const onnx = { ...TABLE_SOURCE, kind: 'mitigation', model: 'uploads/made/net.onnx' };
    const { request: asked } = queuedRecord('j', onnx);
    const message = 'model "uploads/made/net.onnx": see uploads/made/preprocess.json';
    expect(withoutKeys(message, asked)).toBe('model "model": see model/preprocess.json');
    const bad = 'uploads/made/preprocess.json: "resize" must be one of "stretch", "cover"';
    expect(reasonOf(new InvalidInputError(bad), { ...context, request: asked }).message).toBe(bad);
  });

  it('names a manifest that lies in the folder of the model', () => {
    const together = { ...TABLE_SOURCE, model: 'uploads/made', kind: 'mitigation' };
    expect(withoutKeys('uploads/made/rows.csv: no', queuedRecord('j', together).request)).toBe(
      'manifest: no',
    );
  });
});
