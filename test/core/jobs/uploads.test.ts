import { describe, expect, it } from 'vitest';
import { assertKey } from '../../../core/jobs/keys.ts';
import { createUpload, UPLOAD_TYPES, uploadRequestSchema, uploadSchema } from '../../../core/jobs/uploads.ts';
import { makeTestDeps } from './fixtures.ts';

const request = (fields: object) => uploadRequestSchema.parse({ name: 'scores.csv', bytes: 10, ...fields });
const isValid = (fields: object) =>
  uploadRequestSchema.safeParse({ name: 'scores.csv', bytes: 10, ...fields }).success;

describe('createUpload', () => {
  it('binds the form to key, size and type', async () => {
    const upload = await createUpload(makeTestDeps(), request({ bytes: 123 }));
    expect(uploadSchema.parse(upload)).toEqual(upload);
    expect(upload).toMatchObject({ contentType: 'text/csv', maxBytes: 123 });
    expect(upload.key).toBe(`uploads/${upload.uploadId}/scores.csv`);
    expect(upload.form.fields).toEqual({ key: upload.key, 'Content-Type': 'text/csv', policy: '900 123' });
    expect(upload.expiresAt).toBe('2026-03-01T05:15:00.000Z');
  });

  it('gives every upload a place of its own', async () => {
    const deps = makeTestDeps();
    const keys = [await createUpload(deps, request({})), await createUpload(deps, request({}))];
    expect(keys[0]!.key).not.toBe(keys[1]!.key);
  });

  it('puts a file beside those of an earlier upload', async () => {
    const deps = makeTestDeps();
    const { uploadId } = await createUpload(deps, request({}));
    const { key } = await createUpload(deps, request({ uploadId, name: 'counterweight.json' }));
    expect(key).toBe(`uploads/${uploadId}/counterweight.json`);
  });

  it('spells a name in one way only', async () => {
    const deps = makeTestDeps();
    const uploads = ['e\u0301t\u00e9.csv', '\u00e9te\u0301.csv'].map((name) =>
      createUpload(deps, request({ name, uploadId: 'u' })),
    );
    const keys = (await Promise.all(uploads)).map(({ key }) => key);
    expect(keys[0]).toBe(keys[1]);
  });
});

describe('uploadRequestSchema', () => {
  it.each([
    'a.csv',
    'model/weights.bin',
    'a b_c-d.2.json',
    '表.csv',
    `${'表'.repeat(83)}.csv`, // 83 · 3 + 4 = 253 bytes
    'a/b/c/d/e.png',
    ...Object.keys(UPLOAD_TYPES).map((ending) => `x.${ending}`),
  ])('takes the name %j', async (name) => {
    expect(isValid({ name })).toBe(true);
    const { key } = await createUpload(makeTestDeps(), request({ name }));
    expect(() => assertKey(key)).not.toThrow();
  });

  it.each([
    '',
    'a',
    `${'表'.repeat(84)}.csv`, // 84 · 3 + 4 = 256 bytes
    'a.exe',
    'a.html',
    '.csv',
    '/a.csv',
    'a//b.csv',
    '../a.csv',
    'a/../b.csv',
    './a.csv',
    'a\\b.csv',
    'a\n.csv',
    'a\u0000.csv',
    'a?.csv',
    'a"b.csv',
    `\${filename}.csv`,
    'a/b/c/d/e/f.csv',
    `${'x'.repeat(200)}.csv`,
    'a.constructor',
  ])('refuses the name %j', (name) => {
    expect(isValid({ name })).toBe(false);
  });

  it('refuses a pickle by what to do instead', () => {
    const { error } = uploadRequestSchema.safeParse({ name: 'net.pt', bytes: 10 });
    expect(error?.issues.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^is refused: a pickle runs code when it is read.*torch\.onnx\.export/),
    ]);
  });

  it.each([0, -1, 1.5, 5 * 2 ** 30 + 1, '10'])('refuses the size %j', (bytes) => {
    expect(isValid({ bytes })).toBe(false);
  });

  it.each(['../x', 'A', 'a/b', ''])('refuses the uploadId %j', (uploadId) => {
    expect(isValid({ uploadId })).toBe(false);
  });
});
