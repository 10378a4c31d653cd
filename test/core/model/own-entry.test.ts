import { expect, test } from 'vitest';
import { ownEntry } from '../../../core/model/own-entry.ts';

test('ownEntry finds what a table has, and nothing that it inherits', () => {
  expect(ownEntry({ a: 1 }, 'a')).toBe(1);
  expect(ownEntry({ a: 1 }, 'b')).toBeUndefined();
  expect(ownEntry({ a: 1 }, 'constructor')).toBeUndefined();
});
