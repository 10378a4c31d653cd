import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { definitionSchema, loadDefinitions, slotOf } from '../../../core/jobs/definitions.ts';
import { makeMemoryStore } from '../../helpers/memory-store.ts';
import { AUDIT, MITIGATION, MODEL_AUDIT } from './fixtures.ts';

const definition = { request: AUDIT, every: { days: 1 } };
const isValid = (fields: object) => definitionSchema.safeParse({ ...definition, ...fields }).success;

describe('definitionSchema', () => {
  it('needs a request and a period, nothing else', () => {
    expect(definitionSchema.parse(definition)).toEqual({
      ...definition,
      mitigateOnFailure: false,
    });
  });

  it.each([{}, { hours: 0 }, { hours: 169 }, { days: 367 }, { hours: 1, days: 1 }, { minutes: 5 }, 'daily'])(
    'refuses the period %j',
    (every) => {
      expect(isValid({ every })).toBe(false);
    },
  );

  it('has one policy, beside the request', () => {
    expect(isValid({ policy: 'four-fifths' })).toBe(true);
    expect(isValid({ request: { ...AUDIT, policy: 'four-fifths' } })).toBe(false);
  });

  it('derives a mitigation from a model audit, and wants one spelled out for a table', () => {
    expect(isValid({ request: MODEL_AUDIT, mitigateOnFailure: true })).toBe(true);
    expect(isValid({ mitigateOnFailure: true })).toBe(false);
    expect(isValid({ mitigateOnFailure: MITIGATION })).toBe(true);
  });

  it('schedules no mitigation by itself', () => {
    expect(isValid({ request: MITIGATION })).toBe(false);
  });
});

describe('loadDefinitions', () => {
  it('has every definition by name, and names what is wrong with one without hiding the others', async () => {
    const store = makeMemoryStore();
    await store.put('definitions/b.json', definition);
    await store.put('definitions/a.json', '{"every":');
    await store.put('definitions/c.json', { ...definition, every: 1 });
    await store.put('definitions/Not An Id.json', definition);
    await store.put('definitions/folder/d.json', definition);
    await store.put('definitions/readme.md', 'x');
    const loaded = await loadDefinitions(store);
    const found = loaded.map((named) => [named.name, 'error' in named ? named.error.message : 'ok']);
    expect(found).toEqual([
      ['Not An Id', expect.stringContaining('1 to 52')],
      ['a', 'definition: expected JSON, received text that is no JSON'],
      ['b', 'ok'],
      ['c', 'definition: "every" must be an object, received 1'],
    ]);
  });

  it('does not take a definition that was deleted meanwhile for a valid one', async () => {
    const store = makeMemoryStore();
    await store.put('definitions/a.json', definition);
    const [named] = await loadDefinitions({ ...store, read: async () => null });
    expect(named).toHaveProperty('error');
  });

  it('throws when the store fails', async () => {
    const store = makeMemoryStore();
    await store.put('definitions/a.json', definition);
    store.before = (method) => {
      if (method === 'read') throw new StorageError('down');
    };
    await expect(loadDefinitions(store)).rejects.toThrow('down');
  });
});

describe('slotOf', () => {
  it.each([
    [{ hours: 1 }, '2026-03-01T05:00:00.000Z'],
    [{ hours: 6 }, '2026-03-01T00:00:00.000Z'],
    [{ days: 1 }, '2026-03-01T00:00:00.000Z'],
    [{ days: 7 }, '2026-02-26T00:00:00.000Z'], // a Thursday, as 1970-01-01 was
  ])('of %j at 05:59 on 1 March 2026 is %s', (every, slot) => {
    expect(slotOf(every, new Date('2026-03-01T05:59:59.999Z')).toISOString()).toBe(slot);
  });

  it('holds now, and is less than a period old', () => {
    const every = fc.oneof(
      fc.record({ hours: fc.integer({ min: 1, max: 168 }) }),
      fc.record({ days: fc.integer({ min: 1, max: 366 }) }),
    );
    const times = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(every, times, (period, now) => {
        const age = now.getTime() - slotOf(period, now).getTime();
        const hours = 'hours' in period ? period.hours : 24 * period.days;
        return age >= 0 && age < hours * 3_600_000;
      }),
    );
  });
});
