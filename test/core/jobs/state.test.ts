import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  createState,
  readRepairable,
  readState,
  replaceState,
  updateState,
} from '../../../core/jobs/state.ts';
import { makeMemoryStore } from '../../helpers/memory-store.ts';

const place = { key: 'locks/x.json', schema: z.strictObject({ n: z.int() }) };
const count = ({ n }: { n: number }) => ({ n: n + 1 });

describe('readState', () => {
  it('returns null when there is no object', async () => {
    expect(await readState(makeMemoryStore(), place)).toBeNull();
  });

  it.each(['{', '{"n":"1"}', '{"n":1,"m":2}'])('throws StorageError for the content %j', async (content) => {
    const store = makeMemoryStore();
    await store.put(place.key, content);
    await expect(readState(store, place)).rejects.toMatchObject({
      code: 'STORAGE',
      details: { key: place.key },
    });
  });
});

describe('readRepairable', () => {
  it('reads as readState does what is not damaged', async () => {
    const store = makeMemoryStore();
    expect(await readRepairable(store, place)).toBeNull();
    await store.put(place.key, { n: 7 });
    expect(await readRepairable(store, place)).toEqual(await readState(store, place));
  });

  it('gives a damaged object no value, and the etag that replaces it', async () => {
    const store = makeMemoryStore();
    await store.put(place.key, '{');
    const state = await readRepairable(store, place);
    expect(state?.value).toBeNull();
    expect(await replaceState(store, { key: place.key, etag: state!.etag, value: { n: 1 } })).not.toBeNull();
    expect(store.json(place.key)).toEqual({ n: 1 });
  });

  it('throws when the store does not answer', async () => {
    const store = makeMemoryStore();
    store.before = () => {
      throw new Error('wire');
    };
    await expect(readRepairable(store, place)).rejects.toThrow('wire');
  });
});

describe('createState', () => {
  it('lets one of twenty writers through', async () => {
    const store = makeMemoryStore();
    const etags = await Promise.all(
      Array.from({ length: 20 }, (_, n) => createState(store, place.key, { n })),
    );
    expect(etags.filter((etag) => etag !== null)).toHaveLength(1);
  });

  it('throws what is no conflict', async () => {
    const store = makeMemoryStore();
    store.before = () => {
      throw new Error('wire');
    };
    await expect(createState(store, place.key, {})).rejects.toThrow('wire');
  });
});

describe('replaceState', () => {
  it('refuses an etag that has gone by', async () => {
    const store = makeMemoryStore();
    const { etag } = await store.put(place.key, { n: 1 });
    const next = await replaceState(store, { key: place.key, etag, value: { n: 2 } });
    expect(next).not.toBeNull();
    expect(await replaceState(store, { key: place.key, etag, value: { n: 3 } })).toBeNull();
    expect(store.json(place.key)).toEqual({ n: 2 });
  });
});

describe('updateState', () => {
  it('loses none of twenty changes at once', async () => {
    const store = makeMemoryStore();
    await store.put(place.key, { n: 0 });
    await Promise.all(Array.from({ length: 20 }, () => updateState(store, place, count)));
    expect(store.json(place.key)).toEqual({ n: 20 });
  });

  it('returns null when there is no object', async () => {
    expect(await updateState(makeMemoryStore(), place, count)).toBeNull();
  });

  it('writes nothing when the change is null', async () => {
    const store = makeMemoryStore();
    await store.put(place.key, { n: 7 });
    expect(await updateState(store, place, () => null)).toEqual({ value: { n: 7 }, isChanged: false });
    expect(store.calls.write).toBe(1);
  });

  it('throws ConflictError when another writer comes between every time', async () => {
    const store = makeMemoryStore();
    await store.put(place.key, { n: 0 });
    let n = 0;
    const overtaken = updateState(store, place, (value) => {
      n -= 1;
      void store.put(place.key, { n });
      return count(value);
    });
    await expect(overtaken).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(n).toBe(-30);
  });
});
