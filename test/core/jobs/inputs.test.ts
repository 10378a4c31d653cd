import { describe, expect, it } from 'vitest';
import { assertInputs } from '../../../core/jobs/inputs.ts';
import { makeMemoryStore } from '../../helpers/memory-store.ts';
import { AUDIT, MITIGATION, putInputs } from './fixtures.ts';

describe('assertInputs', () => {
  it.each([AUDIT, MITIGATION])('accepts a $kind whose inputs were uploaded', async (request) => {
    const store = makeMemoryStore();
    await putInputs(store);
    await expect(assertInputs(store, request)).resolves.toBeUndefined();
  });

  it.each([
    ['predictions', AUDIT, 'uploads/table/scores.csv'],
    ['manifest', MITIGATION, 'uploads/set/labels.csv'],
    ['model', MITIGATION, 'uploads/set/model/model.json'],
  ])('names %s when it is missing, and not its key', async (field, request, key) => {
    const store = makeMemoryStore();
    await putInputs(store);
    await store.delete(key);
    const error = await assertInputs(store, request).catch((caught: Error) => caught);
    expect(error).toMatchObject({ code: 'INVALID_INPUT', details: { where: field } });
    expect(JSON.stringify([error!.message, error])).not.toContain('uploads/');
  });
});
