import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { beginRound, readCursor, writeCursor } from '../../../core/jobs/cursor.ts';
import { makeTestDeps } from './fixtures.ts';

describe('a round', () => {
  it('is over after two minutes', () => {
    const deps = makeTestDeps();
    const isOver = beginRound(deps);
    deps.wait(119);
    expect(isOver()).toBe(false);
    deps.wait(1);
    expect(isOver()).toBe(true);
  });

  it('is over when the process is about to end', () => {
    let isClosing = false;
    const isOver = beginRound({ ...makeTestDeps(), isClosing: () => isClosing });
    expect(isOver()).toBe(false);
    isClosing = true;
    expect(isOver()).toBe(true);
  });
});

describe('a cursor', () => {
  it('stands at the beginning until it is written, where it was written, and at the beginning again', async () => {
    const { store } = makeTestDeps();
    expect(await readCursor(store, 'round')).toBeUndefined();
    await writeCursor(store, 'round', 'waiting/a.json');
    expect(await readCursor(store, 'round')).toBe('waiting/a.json');
    expect(await readCursor(store, 'other')).toBeUndefined();
    await writeCursor(store, 'round', undefined);
    expect(await readCursor(store, 'round')).toBeUndefined();
    expect(store.keys()).toEqual(['locks/round.json']);
  });

  it.each(['{', '{"schemaVersion":2}'])('stands at the beginning when it is damaged: %s', async (content) => {
    const { store } = makeTestDeps();
    await store.put('locks/round.json', content);
    expect(await readCursor(store, 'round')).toBeUndefined();
  });

  it('is not at the beginning when the store does not answer', async () => {
    const { store } = makeTestDeps();
    store.before = () => {
      throw new StorageError('down');
    };
    await expect(readCursor(store, 'round')).rejects.toThrow('down');
  });
});
