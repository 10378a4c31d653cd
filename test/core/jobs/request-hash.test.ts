import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isId } from '../../../core/jobs/keys.ts';
import { hashOf } from '../../../core/jobs/request-hash.ts';

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, each]) => [key, reversed(each)]),
  );
}

describe('hashOf', () => {
  it('is the SHA-256 of the sorted JSON text, cut at 40 digits', () => {
    const text = '[{"a":[2,{"c":1,"d":2}],"b":1}]';
    expect(hashOf({ b: 1, a: [2, { d: 2, c: 1 }] })).toBe(
      createHash('sha256').update(text).digest('hex').slice(0, 40),
    );
  });

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(
        fc.json().map((text) => JSON.parse(text)),
        (value) => hashOf(value) === hashOf(reversed(value)),
      ),
    );
  });

  it('depends on the order of lists, on types and on how values are divided', () => {
    const hashes = [
      hashOf([1, 2]),
      hashOf([2, 1]),
      hashOf(['1', 2]),
      hashOf(1, 2),
      hashOf('key', 'a'),
      hashOf('keya'),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('names an object', () => {
    expect(isId(hashOf('x'))).toBe(true);
  });
});
