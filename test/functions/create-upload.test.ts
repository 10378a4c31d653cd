import { describe, expect, it } from 'vitest';
import { uploadSchema } from '../../core/jobs/uploads.ts';
import { makeCreateUpload } from '../../functions/create-upload.ts';
import { apiEvent } from './events.ts';
import { bodyOf, makeFunctionDeps } from './fixtures.ts';

const upload = (body: unknown) =>
  makeCreateUpload(makeFunctionDeps())(apiEvent({ path: '/v1/uploads', body }));

describe('POST /v1/uploads', () => {
  it('makes a form for a key below uploads/', async () => {
    const response = await upload({ name: 'scores.csv', bytes: 2048 });
    expect(response.statusCode).toBe(201);
    const { key, maxBytes, form } = uploadSchema.parse(bodyOf(response));
    expect(key).toMatch(/^uploads\/[a-z0-9]+\/scores\.csv$/);
    expect([maxBytes, form.fields.key]).toEqual([2048, key]);
  });

  it.each([{ name: '../jobs/x.json', bytes: 1 }, { name: 'a.exe', bytes: 1 }, { name: 'a.csv' }, {}])(
    'refuses %j',
    async (body) => {
      expect((await upload(body)).statusCode).toBe(400);
    },
  );
});
